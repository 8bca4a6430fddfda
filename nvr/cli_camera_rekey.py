"""`nvr camera rekey`: another key for the cameras' logins."""

from __future__ import annotations

import click

from config.settings import Settings
from nvr.cli_base import catalog_for_reading, with_settings
from storage.rekey import rekey


@click.command("rekey")
@click.option("--lost", is_flag=True, help="The key is lost: logins that nothing opens stay, and are entered again.")
@with_settings
def rekey_(settings: Settings, lost: bool) -> None:
    """Seal the cameras' logins with a new key; the server may run.

    With a key in $NVR_SECRETS_KEY: first put the new one before the old one there, with a blank between, and restart.
    """
    with catalog_for_reading(settings):
        pass  # it is there, and of this version
    done = rekey(settings.storage.database, lost=lost)
    click.echo(f"{done.sealed} login{'' if done.sealed == 1 else 's'} sealed anew with the key {done.where}")
    if done.old is not None:
        click.echo(f"former keys are kept in {done.old}: copies made so far need them; delete it when those are gone")
    if done.unreadable:
        click.echo(f"{done.unreadable} cannot be opened: enter them again, or add their key to the file")

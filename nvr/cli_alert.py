"""`nvr alert ...`: tries the ways by which people are told of troubles."""

from __future__ import annotations

import sys
from zoneinfo import ZoneInfo

import click

from config.errors import Invalid
from config.settings import Settings
from nvr.alert_senders import senders
from nvr.alert_words import Place, trial
from nvr.alerts import send_all
from nvr.cli_base import json_option, run, show, with_settings
from storage.clock import wall_us


@click.group()
def alert() -> None:
    """Try the alerts."""


@alert.command()
@json_option
@with_settings
def test(settings: Settings, as_json: bool) -> None:
    """Send a test to every place that [alerts] names, and say what became of each."""
    places = senders(settings.alerts)
    if not places:
        raise Invalid("no place is named: set alerts.webhook, or alerts.smtp and alerts.to", field="alerts")
    body = trial(Place(settings.server.name, settings.server.node, ZoneInfo(settings.server.timezone)), wall_us())
    results = run(send_all(places, body))
    if as_json:
        show([{"place": s.place, "address": s.address, "ok": not wrong, "error": wrong} for s, wrong in results])
    else:
        for sender, wrong in results:
            click.echo(f"{sender.place:8}{'FAILED' if wrong else 'sent'}  {wrong or sender.address}")
    if any(wrong for _, wrong in results):
        sys.exit(1)

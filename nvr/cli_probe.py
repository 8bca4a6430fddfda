"""`nvr camera probe` and `nvr camera discover`: what a camera sends and what is wrong with it; which cameras are there."""

from __future__ import annotations

from dataclasses import asdict

import click

from config.errors import Unavailable
from config.settings import Settings
from nvr.cli_base import catalog_for_reading, catalog_for_writing, json_option, run, show, table, with_settings
from nvr.cli_camera import find, loopback_allowed
from storage import camera_url
from storage.catalog import camera_hosts, cameras, probes
from storage.clock import wall_us
from storage.registry.findings import FINDINGS
from web.keys import ProbeReport


@click.command()
@click.argument("camera", metavar="URL|ID|CODE")
@json_option
@with_settings
def probe(settings: Settings, camera: str, as_json: bool) -> None:
    """Look at a camera for some seconds: what it sends, and what to set otherwise.

    Of a registered camera the login is taken from the catalog and the result is kept; of a URL nothing is.
    """
    report = _of_url(settings, camera) if "://" in camera else _of_registered(settings, camera)
    if as_json:
        facts = asdict(report)
        show(facts | {"findings": [asdict(FINDINGS[code]) for code in report.findings]})
        return
    for name, value in asdict(report).items():
        if name != "findings" and value not in ("", None):
            click.echo(f"{name:16} {value}")
    for code in report.findings:
        found = FINDINGS[code]
        click.echo(f"{found.level:5} {code}: {found.text} {found.fix}")
    if not report.ok:
        raise Unavailable(f"{report.cause}: {report.detail}")


def _of_url(settings: Settings, url: str) -> ProbeReport:
    from nvr.probe import probe_url

    parsed = camera_url.parse(url, allow_loopback=loopback_allowed(settings))
    return run(probe_url(settings, parsed.url, parsed.credentials))


def _of_registered(settings: Settings, key: str) -> ProbeReport:
    from nvr.probe import probe_row, probe_url

    with catalog_for_reading(settings) as db:
        one = find(db, key)
        login = cameras.credentials(db, one.id)
    report = run(probe_url(settings, one.url, login, audio=one.audio))
    with catalog_for_writing(settings) as db:
        if cameras.get(db, one.id).url == one.url:
            probes.put_look(db, probe_row(one.id, report, wall_us()))
    return report


@click.command()
@click.option("--seconds", default=3, show_default=True, type=click.IntRange(1, 10), help="How long to listen.")
@json_option
@with_settings
def discover(settings: Settings, seconds: int, as_json: bool) -> None:
    """Find cameras in this machine's network by ONVIF; nothing is registered."""
    from nvr.onvif import Onveef

    found = run(Onveef().discover(seconds, allow_loopback=loopback_allowed(settings)))
    registered = {}
    if settings.storage.database.exists():
        with catalog_for_reading(settings) as db:
            registered = camera_hosts.codes(db)
    rows = [
        {
            "address": one.address,
            "name": one.name,
            "model": one.model,
            "hardware": one.hardware,
            "registered_as": registered.get(one.host),
        }
        for one in found
    ]
    if as_json:
        show(rows)
    else:
        table(["address", "name", "model", "hardware", "registered as"], [list(row.values()) for row in rows])

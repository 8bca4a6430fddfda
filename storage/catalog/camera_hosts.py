"""Which hosts the cameras' URLs name."""

from __future__ import annotations

from storage.camera_url import host_of
from storage.catalog.sqlite import Connection


def codes(db: Connection) -> dict[str, str]:
    """Host -> code of a camera there that is not archived, the first by code where a recorder serves several."""
    rows = db.execute("SELECT url, code FROM camera WHERE archived_us IS NULL ORDER BY code DESC")
    return {host_of(row[0]): row[1] for row in rows}

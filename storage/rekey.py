"""A new key for the cameras' logins. Every login is sealed anew in one transaction; cut off at any step, all still open."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from config.errors import Conflict
from storage import secrets
from storage.catalog import logins
from storage.catalog.db import connect, transaction


@dataclass(frozen=True, slots=True)
class Rekeyed:
    """`unreadable`: logins that no key opened and that were left as they are. `old`: where the former keys are now, None: there
    are none."""

    sealed: int
    unreadable: int
    where: str
    old: Path | None


def rekey(database: Path, *, lost: bool) -> Rekeyed:
    """With a key in the environment: seal all with the first one there. Blocking; a server may run.

    Raises Conflict where some login cannot be opened, unless their key is known to be `lost`; Invalid or Unavailable for a key
    that cannot be used or written.
    """
    with closing(connect(database)) as db, transaction(db):  # nobody seals meanwhile
        database = logins.database_of(db)
        before = logins.standing(db)
        if before.unreadable and not lost:
            raise Conflict(
                f"{before.unreadable} of {before.logins} logins cannot be opened ({before.trouble}); where that key is lost,"
                " `--lost` leaves them as they are: they are entered again",
                field="credentials",
            )
        ring = secrets.load(database)
        if secrets.key_file(database) is not None:
            ring = secrets.renew(ring, database)
        assert ring is not None
        sealed = logins.seal_anew(db, ring)
        after = logins.standing(db)
    old = secrets.old_file(ring.path) if ring.path is not None else None
    return Rekeyed(sealed, after.unreadable, after.where, old if old is not None and old.exists() else None)

"""The one import of SQLite: the build sqlite-utils chose. Two SQLite copies on one file would break its locks."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3
else:
    from sqlite_utils.utils import sqlite3

Connection = sqlite3.Connection
Row = sqlite3.Row

__all__ = ["Connection", "Row", "sqlite3"]

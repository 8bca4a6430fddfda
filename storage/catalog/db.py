"""The catalog's connections: one writer thread with group commit, a small pool of read-only readers.

Statements are functions of the sibling modules that take a connection; they run here:

    camera = await catalog.read(partial(cameras.get, camera_id=camera_id))
    await catalog.write(lambda db: runs.end(db, run_id, ended_us, reason))

Writes that are queued together share one transaction, each in a savepoint of its own: an error in one rolls back only that
one. A write returns after its commit (synchronous=FULL: after the fsync).
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import queue
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

import structlog
from sqlite_utils import Database

from config.errors import Conflict, Corrupt, Invalid, NvrError, Unavailable
from storage.catalog.ballast import Ballast
from storage.catalog.logins import scrub
from storage.catalog.schema import migrate
from storage.catalog.sqlite import Connection, sqlite3

log = structlog.get_logger()

T = TypeVar("T")

BUSY_MS = 10_000
READ_LIMIT_S = 20.0
MAX_BATCH = 200


def connect(path: Path, *, readonly: bool = False) -> Connection:
    """A connection with our pragmas. Raises Unavailable when the file cannot be opened."""
    uri = f"{path.absolute().as_uri()}?mode={'ro' if readonly else 'rwc'}"
    try:
        db = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
        db.execute(f"PRAGMA busy_timeout = {BUSY_MS}")
        if not readonly:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = FULL")
        db.execute("PRAGMA foreign_keys = ON")
        db.execute("PRAGMA cache_size = -8000")
        db.execute("PRAGMA mmap_size = 268435456")
    except sqlite3.DatabaseError as error:
        raise Unavailable(
            f"cannot open the catalog {path}: {error}; check storage.database, its folder and its rights, and that its "
            "disk is not full",
            field="storage.database",
        ) from error
    db.row_factory = sqlite3.Row
    return db


def prepare(path: Path) -> None:
    """Make the folder and the file where missing, and migrate. Raises Conflict for a newer catalog."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Invalid(
            f"cannot make the folder of the catalog {path}: {error.strerror}", field="storage.database"
        ) from error
    db = connect(path)
    try:
        db.execute("PRAGMA secure_delete = ON")  # what a migration drops may be a login
        migrate(Database(db))
        _scrub(db, path)
    except sqlite3.DatabaseError as error:
        if "not a database" in str(error) or "malformed" in str(error):
            raise Corrupt(
                f"{path} is not a readable SQLite database ({error}): restore a backup, or move it away and run "
                "`nvr fsck --rebuild`",
                field="storage.database",
            ) from error
        raise Unavailable(f"cannot prepare the catalog {path}: {error}", field="storage.database") from error
    finally:
        db.close()
    path.chmod(0o600)


def _scrub(db: Connection, path: Path) -> None:
    try:
        if not scrub(db):
            log.warning("the catalog is in use: former plain logins are wiped at the next start", path=str(path))
    except sqlite3.OperationalError as error:  # it works all the same
        log.warning("former plain logins are not wiped from the catalog yet", path=str(path), error=str(error))


def damage(db: Connection) -> str:
    """What SQLite's quick check finds first; empty for a sound catalog. Reads the whole file."""
    found = str(db.execute("PRAGMA quick_check(1)").fetchone()[0])
    return "" if found == "ok" else found


@contextmanager
def transaction(db: Connection) -> Iterator[Connection]:
    """BEGIN IMMEDIATE ... COMMIT, rolled back on any error."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield db
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")


@dataclass(slots=True)
class _Write:
    run: Callable[[Connection], Any]
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]
    result: Any = None
    error: BaseException | None = None

    def resolve(self) -> None:
        if self.future.done():
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)


def _resolve_all(writes: list[_Write]) -> None:
    for write in writes:
        write.resolve()


def _is_full(error: BaseException) -> bool:
    return isinstance(error, sqlite3.OperationalError) and "full" in str(error)


class Catalog:
    """The running server's access. Start with `open()`, end with `close()`; used from one event loop."""

    def __init__(self, path: Path, *, readers: int = 2) -> None:
        self.path = path
        self._queue: queue.SimpleQueue[_Write | None] = queue.SimpleQueue()
        self._writer = threading.Thread(target=self._write_loop, name="catalog-writer", daemon=True)
        self._local = threading.local()
        self._connections: list[Connection] = []
        self._connections_lock = threading.Lock()
        self._readers = ThreadPoolExecutor(readers, thread_name_prefix="catalog-reader")
        self._ballast = Ballast(path)
        self._db: Connection | None = None

    async def open(self) -> None:
        """Migrates, lays the ballast, starts the threads. Raises Conflict, Corrupt or Unavailable."""
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._readers, self._prepare)
        self._db = await loop.run_in_executor(self._readers, connect, self.path)
        await loop.run_in_executor(self._readers, self._ballast.make)
        self._writer.start()

    def _prepare(self) -> None:
        """On a full disk not even SQLite's shared memory file can be made: the ballast is for that too."""
        try:
            prepare(self.path)
        except Unavailable:
            if not self._ballast.drop():
                raise
            log.error("catalog disk full: ballast released", path=str(self.path))
            prepare(self.path)

    async def close(self) -> None:
        loop = asyncio.get_running_loop()
        if self._writer.is_alive():
            self._queue.put(None)
            await loop.run_in_executor(None, self._writer.join)
        self._readers.shutdown(wait=False)
        with self._connections_lock:
            for db in self._connections:
                db.close()
            self._connections.clear()

    async def write(self, run: Callable[[Connection], T]) -> T:
        """Run in the writer's next transaction; returns once that is committed."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._queue.put(_Write(run, loop, future))
        return await future

    async def read(self, run: Callable[[Connection], T]) -> T:
        """Run on a read-only connection in a reader thread; interrupted after READ_LIMIT_S (Unavailable)."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._readers, self._read, run)

    def _read(self, run: Callable[[Connection], T]) -> T:
        db = cast("Connection | None", getattr(self._local, "db", None))
        if db is None:
            db = self._local.db = connect(self.path, readonly=True)
            with self._connections_lock:
                self._connections.append(db)
        deadline = time.monotonic() + READ_LIMIT_S
        # Every 200,000 steps of the virtual machine, some milliseconds: a true return interrupts the statement.
        db.set_progress_handler(lambda: time.monotonic() > deadline, 200_000)
        try:
            return run(db)
        except sqlite3.OperationalError as error:
            raise Unavailable(f"the catalog did not answer: {error}; try again") from error

    def _write_loop(self) -> None:
        db = self._db
        assert db is not None
        ended = False
        while not ended:
            first = self._queue.get()
            if first is None:
                break
            batch = [first]
            while len(batch) < MAX_BATCH:
                try:
                    item = self._queue.get_nowait()
                except queue.Empty:
                    break
                if item is None:
                    ended = True
                    break
                batch.append(item)
            try:
                self._run_batch(db, batch)
            except Exception as error:  # this thread must live: a waiting writer would wait for ever
                log.exception("catalog writer failed")
                for write in batch:
                    write.error = write.error or self._told(error)
            try:
                batch[0].loop.call_soon_threadsafe(_resolve_all, batch)
            except RuntimeError:
                break  # the loop is closed: nobody waits any more
        db.close()

    def _run_batch(self, db: Connection, batch: list[_Write]) -> None:
        """Commits what can be committed. A full disk is met with the ballast, once."""
        for attempt in (1, 2):
            for write in batch:
                write.result, write.error = None, None
            try:
                with transaction(db):
                    for write in batch:
                        self._run_one(db, write)
                    if attempt == 1 and any(write.error and _is_full(write.error) for write in batch):
                        raise sqlite3.OperationalError("database or disk is full")
            except Exception as error:
                if _is_full(error) and attempt == 1 and self._ballast.drop():
                    log.exception("catalog disk full: ballast released", path=str(self.path))
                    with suppress(sqlite3.Error):  # only to make more room
                        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                    continue
                for write in batch:
                    write.error = write.error or self._told(error)
            break
        self._ballast.restore_later()

    def _told(self, error: Exception) -> Exception:
        if _is_full(error):
            return Unavailable("the catalog's disk is full: free space beside " + str(self.path))
        if isinstance(error, sqlite3.OperationalError):
            return Unavailable(f"the catalog cannot be written: {error}")
        return error

    def _run_one(self, db: Connection, write: _Write) -> None:
        db.execute("SAVEPOINT one")
        try:
            write.result = write.run(db)
        except Exception as error:  # handed to the caller through its future
            if not db.in_transaction:
                raise  # SQLite itself rolled everything back (disk full, I/O error)
            db.execute("ROLLBACK TO one")
            write.error = error if isinstance(error, NvrError) or _is_full(error) else self._told(error)
        db.execute("RELEASE one")

    async def data_version(self) -> int:
        """Changes when another process (the command line) has committed. Asked on the writer's own connection."""
        return await self.write(lambda db: int(db.execute("PRAGMA main.data_version").fetchone()[0]))


class CatalogLock:
    """One server a catalog: `flock` on `<database>.lock`, held while the server lives (also by nobody after kill -9)."""

    def __init__(self, database: Path) -> None:
        self.path = database.with_name(database.name + ".lock")
        self._fd = -1

    def acquire(self) -> None:
        """Raises Conflict when another server holds it."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(self._fd, 32, 0).decode("ascii", "replace").strip()
            os.close(self._fd)
            self._fd = -1
            raise Conflict(
                f"another nvr serve (pid {holder or 'unknown'}) uses this catalog: stop it first, or name another "
                "database",
                field="storage.database",
            ) from None
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

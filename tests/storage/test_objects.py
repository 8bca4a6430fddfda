"""What the object store's client stands on: keys, pace, the pool of threads."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from config.errors import Invalid, Unavailable
from config.settings import OffloadSettings
from storage.daemon_pool import DaemonPool
from storage.objects_keys import Keys, keys_of
from storage.pace import Pace, PacedFile

LINES = "# ours\n[default]\naws_access_key_id = AK\nAWS_SECRET_ACCESS_KEY='S=1'\n"


def with_file(tmp_path: Path, text: str, mode: int = 0o600) -> OffloadSettings:
    path = tmp_path / "keys"
    path.write_text(text)
    path.chmod(mode)
    return OffloadSettings(bucket="b", credentials_file=str(path))


def test_keys_come_from_the_environment_or_from_a_file_of_ones_own(tmp_path: Path) -> None:
    env = {"AWS_ACCESS_KEY_ID": "A", "AWS_SECRET_ACCESS_KEY": "S"}
    assert keys_of(OffloadSettings(bucket="b"), env) == Keys("A", "S")
    assert keys_of(with_file(tmp_path, LINES), env) == Keys("AK", "S=1"), "the file goes before the environment"
    assert "AK" not in repr(Keys("AK", "S"))


@pytest.mark.parametrize(
    "text, mode, said",
    [
        (LINES, 0o640, "chmod 600"),
        ("AWS_ACCESS_KEY_ID=A\n", 0o600, "no line AWS_SECRET"),
        ("", 0o600, "no line AWS_ACC"),
    ],
)
def test_keys_that_cannot_be_taken_say_why(tmp_path: Path, text: str, mode: int, said: str) -> None:
    with pytest.raises(Invalid, match=said):
        keys_of(with_file(tmp_path, text, mode), {})


def test_without_any_keys_the_way_out_is_told() -> None:
    with pytest.raises(Invalid, match="AWS_ACCESS_KEY_ID is not in the environment"):
        keys_of(OffloadSettings(bucket="b"), {})


def test_all_uploads_together_keep_the_pace() -> None:
    pace = Pace(1_000_000)
    began = time.monotonic()

    def upload() -> None:
        for _ in range(10):
            pace.take(10_000)

    threads = [threading.Thread(target=upload) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert time.monotonic() - began >= 0.4 - 0.15, "400 kB at 1 MB/s, less the burst"


def test_who_waits_for_the_pace_is_set_free_at_the_end() -> None:
    pace = Pace(1.0)
    caught: list[Exception] = []

    def wait() -> None:
        try:
            pace.take(1_000_000)
        except Unavailable as error:
            caught.append(error)

    thread = threading.Thread(target=wait)
    thread.start()
    pace.close()
    thread.join(10)
    assert not thread.is_alive()
    assert len(caught) == 1


def test_a_file_that_became_shorter_is_no_upload(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"0123456789")
    taken: list[int] = []
    with path.open("rb") as file:
        body = PacedFile(file.fileno(), 8, taken.append)
        assert (body.read(5), body.read(), body.read()) == (b"01234", b"567", b"")
        body.seek(2)
        assert body.read(3) == b"234"
        assert taken == [5, 3, 3]
        with pytest.raises(OSError, match="ends"):
            PacedFile(file.fileno(), 12, taken.append).read()


def test_a_pool_runs_so_many_at_once_and_gives_up_what_waits() -> None:
    pool = DaemonPool(2, "test")
    go, running = threading.Event(), threading.Semaphore(0)

    def work() -> str:
        running.release()
        go.wait(10)
        return threading.current_thread().name

    jobs = [pool.submit(work) for _ in range(3)]
    for _ in range(2):
        assert running.acquire(timeout=10)
    pool.shutdown(wait=False)
    assert jobs[2].cancelled()
    go.set()
    assert {jobs[0].result(10), jobs[1].result(10)} == {"test-0", "test-1"}
    with pytest.raises(RuntimeError):
        pool.submit(work)


def test_a_pool_hands_errors_on_and_uses_its_threads_again() -> None:
    pool = DaemonPool(4, "test")
    with pytest.raises(ZeroDivisionError):
        pool.submit(lambda: 1 // 0).result(10)
    names = {pool.submit(lambda: threading.current_thread().name).result(10) for _ in range(20)}
    assert len(names) == 1
    pool.shutdown()

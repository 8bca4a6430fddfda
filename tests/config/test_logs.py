"""What a log line looks like, and what never stands in one."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from config import logs


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    out, err = capsys.readouterr()
    assert out == ""
    return err.splitlines()


def test_a_line_carries_time_level_and_context(capsys: pytest.CaptureFixture[str]) -> None:
    logs.setup(json=True)
    with structlog.contextvars.bound_contextvars(camera=7, run=1795454844496):
        structlog.get_logger().info("recorder ended", cause="refused", path=Path("/a"))
    (line,) = lines(capsys)
    told = json.loads(line)
    assert told.pop("timestamp").endswith("Z")
    assert told == {
        "event": "recorder ended",
        "level": "info",
        "camera": 7,
        "run": 1795454844496,
        "cause": "refused",
        "path": "/a",
    }


def test_the_standard_library_takes_the_same_way(capsys: pytest.CaptureFixture[str]) -> None:
    logs.setup(json=True)
    logging.getLogger("aiohttp.server").error("failed: %s", "rtsp://u:geheim@h/x")
    (line,) = lines(capsys)
    told = json.loads(line)
    assert (told["event"], told["level"]) == ("failed: rtsp://***@h/x", "error")


@pytest.mark.parametrize("as_json", [False, True])
def test_no_password_stands_in_a_line_or_a_traceback(capsys: pytest.CaptureFixture[str], as_json: bool) -> None:
    logs.setup(json=as_json)
    log = structlog.get_logger()
    log.error("rtsp://u:geheim@h/a", url="rtsp://u:geheim@h/b", argv=["-i", "rtsp://u:geheim@h/c"])
    try:
        raise OSError("cannot open rtsp://u:geheim@h/d")
    except OSError as error:
        log.exception("failed", error=error)
        logging.getLogger("x").exception("failed")
    told = "\n".join(lines(capsys))
    assert "geheim" not in told
    assert "Traceback" in told
    assert told.count("***@h") >= 6


def test_what_is_below_the_level_is_not_told(capsys: pytest.CaptureFixture[str]) -> None:
    logs.setup("warning", json=True)
    structlog.get_logger().info("not this")
    structlog.get_logger().warning("this")
    logging.getLogger("x").info("not this")
    assert [json.loads(line)["event"] for line in lines(capsys)] == ["this"]


def test_the_end_of_the_file_watch_is_no_alarm(capsys: pytest.CaptureFixture[str]) -> None:
    logs.setup(json=True)
    watch = logging.getLogger("watchdog.observers.inotify")
    watch.error("InotifyEmitter.queue_events() called when the thread is inactive")
    watch.warning("Inotify queue overflowed")
    assert [json.loads(line)["event"] for line in lines(capsys)] == ["Inotify queue overflowed"]

"""Logging: structlog to standard error, the standard library's loggers through the same chain, every text redacted.

`structlog.contextvars.bind_contextvars(camera=..., run=...)` in a task puts both into each of its lines.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from config.redact import redact_values

_BRIDGE = frozenset({"_record", "_from_structlog"})  # the standard library's record on its way through structlog

_FALSE_ALARM = "called when the thread is inactive"  # watchdog 7.1, of its own orderly end, now and then


def _true_alarm(record: logging.LogRecord) -> bool:
    return not (record.name.startswith("watchdog.") and _FALSE_ALARM in record.getMessage())


def _redacted(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key, value in event.items():
        if key not in _BRIDGE:
            event[key] = redact_values(value)
    return event


def setup(level: str = "info", *, json: bool = False) -> None:
    """For a long-running command. `json`: one object a line, for a log collector. May be called again.

    Libraries (through the standard library's `logging`) are heard from WARNING on: at INFO they tell each request.
    """
    number = logging.getLevelNamesMapping()[level.upper()]
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _redacted,
    ]
    renderer: Any = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if json
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), pad_event_to=0, exception_formatter=structlog.dev.plain_traceback
        )
    )
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(_true_alarm)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(number, logging.WARNING))

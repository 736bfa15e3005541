"""Logs on standard error: plain lines for people, JSON for machines."""

from __future__ import annotations

import logging
import sys
from enum import StrEnum
from typing import Final

from pythonjsonlogger.json import JsonFormatter

# What every record has; the rest came with `extra=` and belongs to the event.
_OWN: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class LogFormat(StrEnum):
    PLAIN = "plain"
    JSON = "json"


def configure_logging(log_format: LogFormat, level: int) -> None:
    """Set up the root logger, once, before gRPC starts: it deadlocks with later changes."""
    handler = logging.StreamHandler(sys.stderr)
    if log_format is LogFormat.JSON:
        handler.setFormatter(
            JsonFormatter(
                "%(asctime)s %(levelname)s %(name)s %(message)s",
                rename_fields={"asctime": "time", "levelname": "level", "name": "logger"},
            )
        )
    else:
        handler.setFormatter(PlainFormatter("%(asctime)s %(levelname)-7s %(message)s"))
    logging.basicConfig(level=level, handlers=[handler], force=True)


class PlainFormatter(logging.Formatter):
    """A line with the event's fields behind it."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802  # logging's name
        fields = " ".join(
            f"{name}={value}" for name, value in vars(record).items() if name not in _OWN
        )
        return f"{super().formatMessage(record)}{'  ' if fields else ''}{fields}"

from __future__ import annotations

import json
import logging
from collections.abc import Generator

import pytest

from serving.logs import LogFormat, configure_logging


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Generator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level


def test_json_logs_are_one_object_a_line_with_the_events_fields(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_logging(LogFormat.JSON, logging.INFO)

    logging.getLogger("worker").info("chunk rendered", extra={"job_id": "j", "chunk": 3})

    line = json.loads(capsys.readouterr().err)
    assert line["message"] == "chunk rendered"
    assert (line["job_id"], line["chunk"], line["level"]) == ("j", 3, "INFO")


def test_plain_logs_have_the_fields_behind_the_message(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_logging(LogFormat.PLAIN, logging.INFO)

    logging.getLogger("worker").info("chunk rendered", extra={"job_id": "j", "chunk": 3})

    assert capsys.readouterr().err.rstrip().endswith("chunk rendered  job_id=j chunk=3")

"""Which stores a user may name."""

from __future__ import annotations

from pathlib import Path

import pytest

from coordinator.stores.opening import store_url


def test_nothing_means_a_file_in_the_data_directory() -> None:
    url = store_url("", Path("/data"))

    assert (url.drivername, url.database) == ("sqlite", "/data/jobs.sqlite")


@pytest.mark.parametrize(
    "text",
    [
        "postgresql://me@host/jobs",
        "postgresql+psycopg://host/jobs",
        "postgres:///jobs?host=/run/postgresql",
        "sqlite:////srv/jobs.sqlite",
    ],
)
def test_what_it_knows_is_taken(text: str) -> None:
    assert store_url(text, Path("/data")).database in ("jobs", "/srv/jobs.sqlite")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("mysql://me:hush@host/jobs", "mysql is no store"),
        ("postgresql+psycopg2://me:hush@host/jobs", r"postgresql\+psycopg2 is no store"),
        ("me:hush@host", "not a URL"),
        ("postgresql://me:hush@host:port/jobs", "not a URL"),
        ("sqlite://", "names no file"),
        ("sqlite:///:memory:", "names no file"),
    ],
)
def test_what_cannot_be_is_refused_without_its_password(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=rf"{problem}.*postgresql://USER@HOST/DATABASE") as refused:
        store_url(text, Path("/data"))

    assert "hush" not in str(refused.value)

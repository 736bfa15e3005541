"""Brings a database up to this version's tables, by the revisions in migrations/versions."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Final

import sqlalchemy as sql

from .base import StoreUnfitError
from .schema import NEWEST

log = logging.getLogger(__name__)

# What the versions before Alembic made.
_BEFORE_ALEMBIC: Final = "0001"
_VERSION: Final = sql.table("alembic_version", sql.column("version_num"))


def bring_up_to_date(db: sql.Connection, *, name: str) -> None:
    """Change what an older version made into what this one needs, in the connection's transaction.

    Raises:
        StoreUnfitError: a newer version made it.

    """
    version = _version(db)
    if version == NEWEST:
        return
    _migrate(db, version, name)
    log.info("jobs database brought up to date", extra={"before": version, "now": NEWEST})


def _version(db: sql.Connection) -> str | None:
    """Which revision it has; None for an empty database."""
    tables = sql.inspect(db).get_table_names()
    if _VERSION.name in tables:
        return db.execute(sql.select(_VERSION.c.version_num)).scalar()
    return _BEFORE_ALEMBIC if "jobs" in tables else None


def _migrate(db: sql.Connection, version: str | None, name: str) -> None:
    logging.getLogger("alembic").setLevel(logging.WARNING)  # we say it in our own words
    # Here and not above: it takes 0.1 s to import, and most databases are up to date.
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config(attributes={"connection": db})
    config.set_main_option("script_location", str(Path(__file__).with_name("migrations")))
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if version is not None and version not in known:
        raise StoreUnfitError(
            f"{name} was made by a newer framefarm (its tables have revision {version}, this "
            f"version knows them up to {NEWEST}): install that version again, or keep the jobs of "
            "this one elsewhere with --store or --data-dir"
        )
    if version == _BEFORE_ALEMBIC and _VERSION.name not in sql.inspect(db).get_table_names():
        command.stamp(config, _BEFORE_ALEMBIC)
    command.upgrade(config, "head")

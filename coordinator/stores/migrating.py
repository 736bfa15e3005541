"""Brings a database up to this version's tables: an empty one at once, an older one by revisions.

The revisions are in migrations/versions.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Final

import sqlalchemy as sql

from .base import StoreUnfitError
from .schema import LEADERSHIP, METADATA, NEWEST

log = logging.getLogger(__name__)

# What the versions before Alembic made.
_BEFORE_ALEMBIC: Final = "0001"
# Alembic's own, as it makes it.
_VERSION: Final = sql.Table(
    "alembic_version",
    sql.MetaData(),
    sql.Column("version_num", sql.String(32), nullable=False),
    sql.PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)


def bring_up_to_date(db: sql.Connection, *, name: str) -> None:
    """Change what an older version made into what this one needs, in the connection's transaction.

    Raises:
        StoreUnfitError: a newer version made it.

    """
    version = _version(db)
    if version == NEWEST:
        return
    if version is None:
        _make(db)
    else:
        migrate(db, version, name=name)
    log.info("jobs database brought up to date", extra={"before": version, "now": NEWEST})


def _make(db: sql.Connection) -> None:
    """Make what all revisions together make, without Alembic: each local render begins so."""
    METADATA.create_all(db)
    db.execute(sql.insert(LEADERSHIP).values(id=1, term=0))
    _VERSION.create(db)
    db.execute(sql.insert(_VERSION).values(version_num=NEWEST))


def _version(db: sql.Connection) -> str | None:
    """Which revision it has; None for an empty database."""
    tables = sql.inspect(db).get_table_names()
    if _VERSION.name in tables:
        return db.execute(sql.select(_VERSION.c.version_num)).scalar()
    return _BEFORE_ALEMBIC if "jobs" in tables else None


def migrate(db: sql.Connection, version: str | None, *, name: str) -> None:
    """Run the revisions after `version`; None: all of them.

    Raises:
        StoreUnfitError: no revision is called so.

    """
    logging.getLogger("alembic").setLevel(logging.WARNING)  # we say it in our own words
    # Here and not above: it takes 0.1 s to import, and most databases are new or up to date.
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

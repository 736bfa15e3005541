"""The tables that keep jobs, as the newest migration leaves them."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sql

# The newest revision of migrations/versions: a test compares them.
NEWEST: Final = "0002"

METADATA: Final = sql.MetaData()
_LARGE = sql.BigInteger().with_variant(sql.Integer, "sqlite")  # which numbers only INTEGER keys

# Specifications, errors, outputs and events are kept as the protobuf messages of the wire: they
# are read whole, and protobuf already knows how to grow.
JOBS: Final = sql.Table(
    "jobs",
    METADATA,
    sql.Column("number", _LARGE, primary_key=True),
    sql.Column("id", sql.String, unique=True, nullable=False),
    sql.Column("request_id", sql.String, unique=True),
    sql.Column("state", sql.String, nullable=False, index=True),
    sql.Column("job", sql.LargeBinary, nullable=False),
    sql.Column("ended_us", sql.BigInteger, index=True),  # of its end, since 1970
)
EVENTS: Final = sql.Table(
    "events",
    METADATA,
    sql.Column("job_id", sql.String, primary_key=True),
    sql.Column("sequence", _LARGE, primary_key=True, autoincrement=False),
    sql.Column("event", sql.LargeBinary, nullable=False),
)
# One row: how many coordinators have begun to lead.
LEADERSHIP: Final = sql.Table(
    "leadership",
    METADATA,
    sql.Column("id", sql.Integer, primary_key=True, autoincrement=False),
    sql.Column("term", sql.BigInteger, nullable=False),
)

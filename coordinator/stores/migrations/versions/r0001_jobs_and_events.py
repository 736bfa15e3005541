"""Jobs and their events: what the first versions made without Alembic."""

from __future__ import annotations

import sqlalchemy as sql
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    large = sql.BigInteger().with_variant(sql.Integer, "sqlite")
    op.create_table(
        "jobs",
        sql.Column("number", large, primary_key=True),
        sql.Column("id", sql.String, unique=True, nullable=False),
        sql.Column("request_id", sql.String, unique=True),
        sql.Column("state", sql.String, nullable=False, index=True),
        sql.Column("job", sql.LargeBinary, nullable=False),
    )
    op.create_table(
        "events",
        sql.Column("job_id", sql.String, primary_key=True),
        sql.Column("sequence", large, primary_key=True, autoincrement=False),
        sql.Column("event", sql.LargeBinary, nullable=False),
    )

"""Terms of coordinators; when jobs ended, in a column that can be searched."""

from __future__ import annotations

import sqlalchemy as sql
from alembic import op

from protos.framefarm.v1 import coordinator_pb2 as pb

revision = "0002"
down_revision = "0001"

_JOBS = sql.table(
    "jobs",
    sql.column("number", sql.BigInteger),
    sql.column("job", sql.LargeBinary),
    sql.column("ended_us", sql.BigInteger),
)


def upgrade() -> None:
    terms = op.create_table(
        "leadership",
        sql.Column("id", sql.Integer, primary_key=True, autoincrement=False),
        sql.Column("term", sql.BigInteger, nullable=False),
    )
    op.bulk_insert(terms, [{"id": 1, "term": 0}])
    op.add_column("jobs", sql.Column("ended_us", sql.BigInteger))
    op.create_index("ix_jobs_ended_us", "jobs", ["ended_us"])
    _fill_in_ends(op.get_bind())


def _fill_in_ends(db: sql.Connection) -> None:
    numbers = db.execute(sql.select(_JOBS.c.number)).scalars().all()
    for number in numbers:  # one at a time: a job may be a megabyte
        mine = _JOBS.c.number == number
        job = pb.Job.FromString(db.execute(sql.select(_JOBS.c.job).where(mine)).scalar_one())
        if job.HasField("end_time"):
            ended_us = job.end_time.ToMicroseconds()
            db.execute(sql.update(_JOBS).where(mine).values(ended_us=ended_us))

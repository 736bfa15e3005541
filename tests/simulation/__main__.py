"""Show a run: `python -m tests.simulation SEED`, or a script's path; or find one: `0-1000`."""

from __future__ import annotations

import logging
import sys
from pathlib import Path

from .chance import Script
from .run import Report, run
from .shrink import shrunk


def main() -> None:
    logging.disable(logging.CRITICAL)
    what = sys.argv[1]
    if what.endswith(".json"):
        script = Script.from_file(Path(what))
        _show(run(script.seed, script))
    elif "-" in what:
        first, last = map(int, what.split("-"))
        for seed in range(first, last):
            report = run(seed)
            if report.fault is not None:
                print(f"{seed}: {report.fault}", flush=True)
    else:
        _show(run(int(what)))


def _show(report: Report) -> None:
    print(report.story())
    print({job_id: end.value for job_id, end in report.ends.items()}, report.messages)
    if report.fault is not None:
        rule = report.rule
        least = shrunk(report.script, lambda each: run(each.seed, each).rule == rule)
        print(least.to_json())


if __name__ == "__main__":
    main()

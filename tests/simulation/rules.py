"""Rules: what must never happen in a simulated world, and what must happen in the end."""

from __future__ import annotations

from typing import Final

from .loop import SimulationError

RULES: Final = {
    "one-result": "A chunk has one accepted result, and its token is one that was still wanted.",
    "slots": "No worker has more calls of a coordinator for what is not filmed than slots it has "
    "told, nor twice as many in all; none begins on one that has said it drains, rests, or cannot "
    "render.",
    "no-dispatch-after-end": "Once a job's end is kept, nothing of it begins.",
    "intent": "That a job is to end is kept before anything of it is stopped.",
    "paused": "While a job is kept as paused, nothing of it begins.",
    "final-is-final": "A job that has ended never changes, and its first cause stays.",
    "fair-failure": "A job fails only for a cause that was there: interruptions cost no attempts.",
    "sequence": "Events of a job have no gap and no repeat, for a watcher who resumes, too.",
    "progress": "Progress never goes back, but where a job is queued again, which says so.",
    "output": "A video is its chunks in order, the same bytes as of a quiet farm.",
    "names": "No coordinator replaces a video that another one has made.",
    "accounts": "What is kept is what is referred to: no chunk of an ended job stays.",
    "kept": "What was acknowledged is there after any restart, and is not done again.",
    "tokens": "No two attempts of a chunk have one token; later ones have higher ones.",
    "ends": "When the faults are over, every job ends in a time that its size allows.",
    "fairness": "Users with equal shares get equal work.",
    "stops": "When a cancel has returned, nothing of the job is running in a call; and on no "
    "worker after a keepalive and a grace.",
    "order": "A job begins when those that it comes after have succeeded, and fails if one has "
    "not.",
    "deadline": "A job is late when its time is over by some clock, and then it ends soon.",
    "engines": "A finished chunk is rendered again only for another engine, and a job leaves its "
    "own engine only when none is there.",
    "word": "What is deleted has ended, is wanted no more, and is of an age.",
    "clean": "In the end no task, call, attempt or half-made file is left.",
}


class RuleBrokenError(SimulationError):
    """A rule was broken."""

    def __init__(self, rule: str, what: str) -> None:
        super().__init__(f"{rule}: {what} ({RULES[rule]})")
        self.rule = rule

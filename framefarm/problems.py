"""Problems: all that is wrong with a request, by the names that users know."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from renderer.errors import InvalidRequestError, Violation

if TYPE_CHECKING:
    from collections.abc import Generator

# What the contract calls a field, and what users call it.
_SAID_AS: Final = {
    "frame_rate": "fps",
    "canvas_selector": "canvas",
    "target_selector": "target",
    "composition": "source",
    "bundle": "source",
    "device_scale_factor": "scale",
    "epoch_ms": "epoch",
    "bitrate_kbps": "bitrate",
}


class Problems:
    """Collects what is wrong with a request, so that a user is told all of it at once."""

    def __init__(self) -> None:
        self._found: list[Violation] = []

    def add(self, field: str, problem: str) -> None:
        self._found.append(Violation(_SAID_AS.get(field, field), problem))

    @contextmanager
    def of(self, field: str) -> Generator[None]:
        """Collect what the block raises: violations as they are, a ValueError as `field`'s."""
        try:
            yield
        except InvalidRequestError as error:
            for violation in error.violations:
                self.add(violation.field, violation.problem)
        except ValueError as error:
            self.add(field, str(error))

    def raise_if_any(self) -> None:
        if self._found:
            raise InvalidRequestError(self._found)


@contextmanager
def problems_of(field: str) -> Generator[None]:
    """Raise what the block raises as violations that users understand."""
    problems = Problems()
    with problems.of(field):
        yield
    problems.raise_if_any()

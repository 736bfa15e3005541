"""Settings that a service does not know: as a rule typing mistakes, which must not pass unheard."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING

from renderer.errors import InvalidRequestError, Violation

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    import typer

# Kubernetes sets such ones for a Service of our name, unless its service links are off.
_SERVICE_LINK = re.compile(r"SERVICE_HOST|SERVICE_PORT(_.*)?|PORT(_.*)?")


def refuse_unknown_settings(
    context: typer.Context, prefix: str, environment: Mapping[str, str]
) -> None:
    """Look through the environment of a service whose settings begin with `prefix`.

    Raises:
        InvalidRequestError: with each that the command has no option for.

    """
    known = {name for option in context.command.params if isinstance(name := option.envvar, str)}
    if problems := list(_problems(prefix, environment, known)):
        raise InvalidRequestError(problems)


def _problems(
    prefix: str, environment: Mapping[str, str], known: Collection[str]
) -> Iterator[Violation]:
    for name in sorted(environment.keys() - known):
        if name.startswith(prefix) and not _SERVICE_LINK.fullmatch(name.removeprefix(prefix)):
            near = get_close_matches(name, known, n=1)
            remedy = f"did you mean {near[0]}?" if near else "unset it"
            yield Violation(name, f"there is no such setting; {remedy}")

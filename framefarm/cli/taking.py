"""Commands that take a group of options, written down once, beside their own."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, get_type_hints

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def parameters_of(signature: Callable[..., None]) -> dict[str, inspect.Parameter]:
    """The options of a function of which only the signature matters."""
    hints = get_type_hints(signature, include_extras=True)
    plain = inspect.signature(signature).parameters
    return {name: each.replace(annotation=hints[name]) for name, each in plain.items()}


def flags_of(parameters: Mapping[str, inspect.Parameter]) -> dict[str, str]:
    """Each option's name on the command line."""
    # typer keeps an Annotated option's first name where a default would stand.
    return {name: str(each.annotation.__metadata__[0].default) for name, each in parameters.items()}


def taking(
    command: Callable[..., None], parameters: Mapping[str, inspect.Parameter], *, into: str
) -> Callable[..., None]:
    """Let a command take these options too: what was said of them comes as one argument."""

    def taken(**given: Any) -> None:
        said = {name: given.pop(name) for name in parameters}
        given[into] = {name: value for name, value in said.items() if value not in (None, [])}
        command(**given)

    own = inspect.signature(command, eval_str=True).parameters.values()
    merged = [*(each for each in own if each.name != into), *parameters.values()]
    taken.__doc__ = command.__doc__
    taken.__name__ = command.__name__
    taken.__annotations__ = {each.name: each.annotation for each in merged}
    taken.__signature__ = inspect.Signature(merged)  # type: ignore[attr-defined]
    return taken

"""The rules of ARCHITECTURE.md that a program can check: arrows, cycles, budgets, edges."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# Who may import whom; a package may always import itself.
ARROWS: dict[str, frozenset[str]] = {
    "protos": frozenset(),
    "renderer": frozenset(),
    "serving": frozenset(),
    "executors": frozenset({"renderer", "protos", "serving"}),
    "worker": frozenset({"executors", "serving", "renderer", "protos"}),
    "coordinator": frozenset({"executors", "serving", "renderer", "protos"}),
    "framefarm": frozenset({"protos", "renderer", "serving", "executors", "worker", "coordinator"}),
}
PACKAGES = frozenset(ARROWS)

# The modules that speak protobuf: they serve, call, translate, or keep. All others handle our own
# values; a new name here needs a reason.
WIRE_EDGES = frozenset(
    {
        "executors.wire",
        "executors.encoding_wire",
        "executors.settings_wire",
        "executors.chunk_call",  # RenderChunk, the caller's side
        "executors.attach_call",
        "executors.worker_call",
        "executors.probe_call",
        "executors.probe_wire",
        "executors.sound_transfer",
        "executors.sound_wire",
        "executors.grpc_worker",  # a channel to a worker
        "executors.transfer",  # UploadBundle, both sides
        "worker.process",
        "worker.answers",  # RenderChunk, the worker's side
        "worker.conversation",
        "worker.outbox",
        "worker.service",
        "coordinator.process",
        "coordinator.service",
        "coordinator.standby",  # the name of what it does not serve yet
        "coordinator.stores.sql",  # keeps jobs in their wire form
        "coordinator.spec_wire",
        "coordinator.stores.migrations.versions.r0002_terms_and_ends",  # reads what was kept
        "coordinator.wire",
        "coordinator.extras_wire",
        "coordinator.outputs_wire",
        "framefarm.client",
        "framefarm.farm_preview",
        "framefarm.farm_status",  # what GetFarm tells
        "framefarm.farm_worker",  # what ListWorkers tells
    }
)
CATCHES_CANCELLATION = frozenset(
    {
        "serving.interceptors",  # turns whatever a handler raises into a status
        "framefarm.cli.running",  # turns it into an exit code, after the event loop has ended
    }
)
LATE_IMPORTS = frozenset(
    {
        "framefarm.cli.worker",
        "framefarm.cli.services",  # a worker need not wait for what a coordinator needs
        "coordinator.stores.opening",  # and a user of a file need not wait for psycopg
        "coordinator.artifacts.opening",  # and a user of a folder not for obstore
        "coordinator.stores.place",  # nor a local render for what speaks to databases
        "framefarm.check",  # and only what renders in this process for what a renderer needs
        "framefarm.benchmark",
        "framefarm.__main__",  # it sees to Ctrl-C before anything
        "framefarm.local_coordinator",  # it reads what to do while it imports
    }
)

VAGUE_NAMES = frozenset({"utils", "util", "helpers", "common", "manager", "misc", "base_classes"})
FILE_LINES = 300
TEST_FILE_LINES = 500
BODY_LINES = 40
PARAMETERS = 5
TYPER_PACKAGE = "framefarm.cli"  # typer: an option is a parameter

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Import:
    """A module that is imported, by its full name, and where it is said."""

    name: str
    line: int
    relative: bool
    at_run_time: bool
    in_function: bool

    @property
    def package(self) -> str:
        return self.name.partition(".")[0]


@dataclass(frozen=True)
class Module:
    """A source file."""

    path: Path
    tree: ast.Module
    lines: tuple[str, ...]

    @property
    def parts(self) -> tuple[str, ...]:
        names = self.path.relative_to(ROOT).with_suffix("").parts
        return names[:-1] if names[-1] == "__init__" else names

    @property
    def name(self) -> str:
        return ".".join(self.parts)

    @property
    def package(self) -> str:
        return self.parts[0]

    @property
    def folder(self) -> tuple[str, ...]:
        return self.path.relative_to(ROOT).parts[:-1]

    def imports(self) -> Iterator[Import]:
        yield from _imports(self.tree, self.folder, at_run_time=True, in_function=False)


def _imports(
    node: ast.AST, folder: tuple[str, ...], *, at_run_time: bool, in_function: bool
) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import | ast.ImportFrom):
            for name in _names(child, folder):
                relative = isinstance(child, ast.ImportFrom) and child.level > 0
                yield Import(name, child.lineno, relative, at_run_time, in_function)
            continue
        for_types = isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test)
        yield from _imports(
            child,
            folder,
            at_run_time=at_run_time and not for_types,
            in_function=in_function or isinstance(child, Function),
        )


def _names(node: ast.Import | ast.ImportFrom, folder: tuple[str, ...]) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
        return
    base = folder[: len(folder) - node.level + 1] if node.level else ()
    start = ".".join((*base, *filter(None, [node.module])))
    yield from (f"{start}.{alias.name}" for alias in node.names)


def _modules(folders: frozenset[str]) -> list[Module]:
    paths = sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))
    written = (path for path in paths if "_pb2" not in path.name)
    return [_module(path, path.read_text(encoding="utf-8")) for path in written]


def _module(path: Path, text: str) -> Module:
    return Module(path, ast.parse(text, str(path)), tuple(text.splitlines()))


SOURCES = _modules(PACKAGES)
TESTS = _modules(frozenset({"tests"}))
KNOWN = {module.name for module in SOURCES}


def the_module(imported: str) -> str | None:
    """Which of our modules `from a.b import c` loads: a.b.c if there is one, else a.b."""
    for name in (imported, imported.rpartition(".")[0]):
        if name in KNOWN:
            return name
    return None


# -- rules: each names its violations ------------------------------------------------------------


def wrong_arrows(module: Module) -> Iterator[str]:
    allowed = ARROWS[module.package] | {module.package}
    for one in module.imports():
        if one.package in PACKAGES and one.package not in allowed:
            yield f"{module.name}:{one.line} imports {one.package}"


def wrong_spelling(module: Module) -> Iterator[str]:
    """Relative beside, absolute elsewhere."""
    folder = ".".join(module.folder)
    for one in module.imports():
        beside = the_module(one.name) is not None and one.name.startswith(f"{folder}.")
        if beside and not one.relative and one.at_run_time:
            yield f"{module.name}:{one.line} imports {one.name} by its full name"


def hidden_imports(module: Module) -> Iterator[str]:
    if module.name in LATE_IMPORTS:
        return
    for one in module.imports():
        if one.in_function and one.package in PACKAGES:
            yield f"{module.name}:{one.line} imports {one.name} inside a function"


def protobuf_inside(module: Module) -> Iterator[str]:
    if module.package == "protos" or module.name in WIRE_EDGES:
        return
    for one in module.imports():
        if one.package == "protos":
            yield f"{module.name}:{one.line} imports {one.name}"


def vague_names(module: Module) -> Iterator[str]:
    if VAGUE_NAMES & set(module.parts):
        yield f"{module.name} does not say what is in it"


def missing_docstring(module: Module) -> Iterator[str]:
    if module.tree.body and not ast.get_docstring(module.tree):
        yield f"{module.name} has no docstring"


def missing_future(module: Module) -> Iterator[str]:
    annotated = any(functions(module)) or _has(module, ast.AnnAssign)
    if annotated and "__future__.annotations" not in {one.name for one in module.imports()}:
        yield f"{module.name} lacks `from __future__ import annotations`"


def long_files(module: Module) -> Iterator[str]:
    most = TEST_FILE_LINES if module.package == "tests" else FILE_LINES
    if len(module.lines) > most:
        yield f"{module.name} has {len(module.lines)} lines, over {most}"


def long_functions(module: Module) -> Iterator[str]:
    for function in functions(module):
        if (lines := body_lines(function)) > BODY_LINES:
            yield f"{module.name}.{function.name} has {lines} lines, over {BODY_LINES}"


def many_parameters(module: Module) -> Iterator[str]:
    if module.package == "tests" or module.name.startswith(TYPER_PACKAGE):
        return
    for function in functions(module):
        count = len(parameters(function))
        excused = "noqa: PLR0913  #" in module.lines[function.lineno - 1]  # with a reason
        if count > PARAMETERS and not excused:
            yield f"{module.name}.{function.name} has {count} parameters, over {PARAMETERS}"


def caught_cancellation(module: Module) -> Iterator[str]:
    if module.name in CATCHES_CANCELLATION:
        return
    for node in ast.walk(module.tree):
        match node:
            case ast.ExceptHandler(type=ast.expr() as caught):
                text = ast.unparse(caught)
            case ast.Call(func=func) if ast.unparse(func).endswith("suppress"):
                text = ast.unparse(node)
            case _:
                continue
        if "CancelledError" in text:
            yield f"{module.name}:{node.lineno} catches CancelledError"


def _has(module: Module, kind: type[ast.AST]) -> bool:
    return any(isinstance(node, kind) for node in ast.walk(module.tree))


def functions(module: Module) -> Iterator[Function]:
    return (node for node in ast.walk(module.tree) if isinstance(node, Function))


def body_lines(function: Function) -> int:
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


def parameters(function: Function) -> list[str]:
    arguments = function.args
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    return [one.arg for one in every if one.arg not in ("self", "cls")]


Rule = Callable[[Module], Iterator[str]]
SOURCE_RULES: tuple[Rule, ...] = (
    wrong_arrows,
    wrong_spelling,
    hidden_imports,
    protobuf_inside,
    vague_names,
    missing_docstring,
    missing_future,
    long_files,
    long_functions,
    many_parameters,
    caught_cancellation,
)
TEST_RULES: tuple[Rule, ...] = (missing_future, long_files, long_functions)


@pytest.mark.parametrize("rule", SOURCE_RULES, ids=lambda rule: rule.__name__)
def test_sources_keep_the_rule(rule: Rule) -> None:
    assert len(SOURCES) > 20

    assert [violation for module in SOURCES for violation in rule(module)] == []


@pytest.mark.parametrize("rule", TEST_RULES, ids=lambda rule: rule.__name__)
def test_tests_keep_the_rule(rule: Rule) -> None:
    assert [violation for module in TESTS for violation in rule(module)] == []


def test_no_modules_import_each_other_in_a_circle() -> None:
    graph = {
        module.name: {
            name
            for one in module.imports()
            if one.at_run_time and (name := the_module(one.name)) not in (None, module.name)
        }
        for module in SOURCES
    }

    try:
        order = list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        pytest.fail(" → ".join(error.args[1]), pytrace=False)
    assert len(order) >= len(SOURCES)


def test_the_exceptions_are_modules_that_exist() -> None:
    assert KNOWN >= WIRE_EDGES | CATCHES_CANCELLATION | LATE_IMPORTS


def test_the_packages_are_those_that_are_shipped() -> None:
    folders = {path.parent.name for path in ROOT.glob("*/__init__.py")}

    assert folders - {"tests", "benchmarks"} == PACKAGES


# Ordered like SOURCE_RULES; each text must be found by its rule, or the rule is asleep.
BAD: dict[Rule, str] = {
    wrong_arrows: "from coordinator.job import Job",
    wrong_spelling: "from worker.settings import WorkerSettings",
    hidden_imports: "def f() -> None:\n    from renderer.frames import FrameRange",
    protobuf_inside: "from protos.framefarm.v1 import worker_pb2",
    vague_names: "",
    missing_docstring: "import os",
    missing_future: "size: int = 3",
    long_files: "\n" * (FILE_LINES + 1),
    long_functions: "def f() -> None:\n" + "    print()\n" * (BODY_LINES + 1),
    many_parameters: "def f(self, a, b, c, *, d, e, f): ...",
    caught_cancellation: "try:\n    f()\nexcept (OSError, asyncio.CancelledError):\n    pass",
}


@pytest.mark.parametrize("rule", SOURCE_RULES, ids=lambda rule: rule.__name__)
def test_each_rule_finds_what_breaks_it(rule: Rule) -> None:
    module = _module(ROOT / "worker" / "utils.py", BAD[rule])

    assert len(list(rule(module))) >= 1


def test_the_rules_let_good_code_pass() -> None:
    good = '''\
"""What a worker is told."""

from __future__ import annotations

from renderer.frames import FrameRange

from .settings import WorkerSettings


def f(self, a, b, c, *, d, e) -> None:
    """Say nothing."""
'''
    module = _module(ROOT / "worker" / "told.py", good)

    assert [violation for rule in SOURCE_RULES for violation in rule(module)] == []

"""The command line's own words: options, failures, displays."""

from __future__ import annotations

import errno
import inspect
import io
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import typer
from rich.console import Console
from rich.live import Live

from coordinator.job import (
    ChunkMoved,
    ChunkState,
    Event,
    Job,
    JobError,
    JobEvent,
    JobSpec,
    JobState,
    PageLogged,
    ProgressMade,
    StateChanged,
)
from framefarm.cli.app import app_for
from framefarm.cli.console import Verbosity, printable
from framefarm.cli.display import (
    JsonDisplay,
    LiveDisplay,
    PlainDisplay,
    ProgressMode,
    Story,
    open_display,
)
from framefarm.cli.extra_options import extra_options
from framefarm.cli.failures import tell
from framefarm.cli.options import name_on_command_line, rendering_options
from framefarm.cli.progress import JobProgress, speed_text, time_left_text
from framefarm.cli.queue_options import queue_options
from framefarm.errors import JobFailedError, NoSuchJobError, RequestRefusedError
from framefarm.request import RenderOptions
from renderer.composition import PageUrl
from renderer.errors import InvalidRequestError, Violation
from renderer.frames import FrameRange
from renderer.settings import RenderSettings

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
GRAMMAR = {
    "render": {
        "--output", "--width", "--height", "--fps", "--frames", "--duration", "--start-frame",
        "--mode", "--canvas", "--target", "--codec", "--crf", "--preset", "--gop", "--props",
        "--seed", "--audio", "--stability-timeout", "--workers", "--chunk-frames", "--farm",
        "--json", "--progress", "--quiet", "--verbose", "-o", "-q", "-v", "--manifest",
        "--pictures", "--cookie", "--transparent", "--background", "--follow-target",
        "--container", "--bitrate", "--lossless", "--bit-depth", "--tune", "--codec-option",
        "--preview",
    },
    "worker": {"--listen", "--slots", "--data-dir", "--name", "--sandbox"},
    "coordinator": {
        "--listen", "--preview", "--workers", "--data-dir", "--keep-jobs", "--keep-bytes",
    },
    "still": {"--output", "--frame", "--width", "--codec", "--farm", "--json", "--quiet"},
    "sheet": {"-o", "--count", "--columns", "--cell-width", "--width", "--farm", "--json", "-q"},
    "submit": {
        "-o", "--farm", "--json", "--width", "--audio", "--chunk-frames", "--priority", "--weight",
        "--user", "--max-slots", "--after", "--time-limit",
    },
    "check": {"--json", "--pictures", "-v", "--width", "--frames", "--stateful", "--seekable"},
    "benchmark": {"--json", "--slots", "-q", "--width", "--frames"},
    "watch": {"--farm", "--json", "--progress", "-q", "-v"},
    "jobs": {"--farm", "--json"},
    "cancel": {"--farm", "--json"},
    "pause": {"--farm", "--json"},
    "resume": {"--farm", "--json"},
    "delete": {"--farm", "--json"},
    "farm": {"--farm", "--json"},
    "download": {"--farm", "-o", "--manifest"},
    "pictures": {"--farm", "-o", "--json"},
    "workers": {"--farm", "--json"},
    "doctor": set[str](),
}  # fmt: skip


def a_job(**changes: object) -> Job:
    spec = JobSpec(
        composition=PageUrl("http://example.test/"),
        settings=RenderSettings(),
        frames=FrameRange(100, 190),
        chunk_frames=30,
    )
    job = Job(id="j1", state=JobState.QUEUED, spec=spec, frames_done=0, created_at=NOON)
    return replace(job, **changes)  # type: ignore[arg-type]


def events(*told: tuple[float, Event]) -> list[JobEvent]:
    return [
        JobEvent(sequence=number, at=NOON + timedelta(seconds=second), event=event)
        for number, (second, event) in enumerate(told, start=1)
    ]


def chunk(index: int, state: ChunkState) -> ChunkMoved:
    frames = FrameRange(100 + 30 * index, 130 + 30 * index)
    return ChunkMoved(
        index=index, state=state, frames=frames, worker="w1", attempt=1, reason="lost"
    )


def test_the_commands_take_the_options_that_the_grammar_names() -> None:
    commands = typer.main.get_command(app_for([])).commands  # type: ignore[attr-defined]

    assert commands.keys() == GRAMMAR.keys()
    for name, expected in GRAMMAR.items():
        params = commands[name].params
        taken = {flag for each in params for flag in (*each.opts, *each.secondary_opts)}
        assert expected <= taken


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (["render", "a.html", "--help"], ["render"]),
        (["watch", "render"], ["watch"]),
        (["rendr"], list(GRAMMAR)),
        (["--version"], list(GRAMMAR)),
    ],
)
def test_a_command_brings_in_no_other(arguments: list[str], names: list[str]) -> None:
    commands = typer.main.get_command(app_for(arguments)).commands  # type: ignore[attr-defined]

    assert sorted(commands) == sorted(names)


def test_the_reference_page_names_every_command_and_option() -> None:
    page = Path(__file__).parents[3].joinpath("docs/reference/cli.md").read_text(encoding="utf-8")

    commands = typer.main.get_command(app_for([])).commands  # type: ignore[attr-defined]
    for name, command in commands.items():
        assert f"## `framefarm {name}`" in page or f"`framefarm {name} " in page
        for option in command.params:
            if not getattr(option, "hidden", False) and option.opts[0].startswith("-"):
                assert f"`{option.opts[0]}" in page, f"{name} {option.opts[0]}"
            if variable := getattr(option, "envvar", None):
                assert variable in page


def test_the_rendering_options_are_those_of_the_library() -> None:
    names = [
        *inspect.signature(rendering_options).parameters,
        *inspect.signature(extra_options).parameters,
        *inspect.signature(queue_options).parameters,
    ]

    assert sorted(names) == sorted(RenderOptions.__annotations__)
    render = typer.main.get_command(app_for([])).commands["render"]  # type: ignore[attr-defined]
    assert set(names) <= {each.name for each in render.params}


@pytest.mark.parametrize(
    ("field", "name"),
    [
        ("width_px", "--width"),
        ("fps", "--fps"),
        ("gop_frames", "--gop"),
        ("audio[0].volume", "--audio"),
        ("most_slots", "--max-slots"),
        ("time_limit", "--time-limit"),
        ("source", "SOURCE"),
        ("output", "-o"),
        ("workers", "--workers"),
        ("outputs[3].crf", "-o"),
        ("something_new", "something_new"),
    ],
)
def test_fields_are_told_by_the_names_the_user_typed(field: str, name: str) -> None:
    assert name_on_command_line(field) == name


@pytest.mark.parametrize(
    "kind", [InvalidRequestError, lambda each: RequestRefusedError("no", each)]
)
def test_a_wrong_request_is_a_line_for_each_field(
    kind: type[InvalidRequestError], capsys: pytest.CaptureFixture[str]
) -> None:
    code = tell(kind([Violation("width_px", "1281 is odd"), Violation("crf", "99 is outside")]))

    told = capsys.readouterr()
    assert code == 2
    assert told.err == "framefarm: --width: 1281 is odd\nframefarm: --crf: 99 is outside\n"
    assert told.out == ""


def test_a_failed_job_is_told_in_the_pages_words_first(
    capsys: pytest.CaptureFixture[str],
) -> None:
    stack = "Error: boom\n    at loop (page.html:19:34)"
    error = JobError(reason="PAGE_ERROR", message="Error: boom", detail=stack, chunk_index=2)

    code = tell(JobFailedError(a_job(state=JobState.FAILED, error=error)))

    assert code == 1
    assert capsys.readouterr().err.splitlines() == [
        "Error: boom",
        "    at loop (page.html:19:34)",
        "framefarm: job j1 failed in chunk 2, frames [160, 190) (PAGE_ERROR)",
    ]


def test_a_page_cannot_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    error = JobError(reason="PAGE_ERROR", message="\x1b[2J[bold]boom[/bold]\x07\u202e", detail="")

    tell(JobFailedError(a_job(error=error)))

    assert capsys.readouterr().err.splitlines()[0] == "�[2J[bold]boom[/bold]��"
    assert printable("a\tb\nc — ü 漢") == "a\tb\nc — ü 漢"


def test_an_unknown_job_is_a_wrong_request(capsys: pytest.CaptureFixture[str]) -> None:
    assert tell(NoSuchJobError("j9")) == 2
    assert "'j9'" in capsys.readouterr().err


def test_a_file_that_cannot_be_written_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert tell(OSError(errno.ENOSPC, "No space left on device", "/videos/out.mp4")) == 1
    told = "/videos/out.mp4: No space left on device; make room there"
    assert capsys.readouterr().err == f"framefarm: {told}\n"
    assert tell(OSError(errno.EACCES, "Permission denied", "/videos/out.mp4")) == 1
    assert capsys.readouterr().err == "framefarm: /videos/out.mp4: Permission denied\n"


def test_progress_adds_up_frames_speed_and_chunks() -> None:
    progress = JobProgress(a_job().spec)
    assert (speed_text(progress), time_left_text(progress)) == ("– frames/s", "ETA –")

    for event in events(
        (0, StateChanged(JobState.RENDERING)),
        (0, chunk(0, ChunkState.RENDERING)),
        (0, chunk(1, ChunkState.RENDERING)),
        (1, ProgressMade(10, 90)),
        (5, ProgressMade(30, 90)),
        (5, chunk(0, ChunkState.RENDERED)),
        (5, chunk(1, ChunkState.REQUEUED)),
    ):
        progress.take(event)

    assert progress.state is JobState.RENDERING
    assert (progress.frames_done, progress.frames_total) == (30, 90)
    assert speed_text(progress) == "5.0 frames/s"
    assert time_left_text(progress) == "ETA 0:12"
    assert progress.chunks == "chunks: 1 rendered, 0 rendering, 2 waiting"


def test_speed_is_that_of_the_last_seconds() -> None:
    progress = JobProgress(a_job().spec)

    for event in events(*((second, ProgressMade(second * 2, 2000)) for second in range(100))):
        progress.take(event)
    for event in events(*((100 + second, ProgressMade(198, 2000)) for second in range(20))):
        progress.take(event)

    assert progress.frames_per_s == 0
    assert progress.seconds_left is None


def test_plain_lines_come_now_and_then_and_at_each_state(
    capsys: pytest.CaptureFixture[str],
) -> None:
    now_s = 0.0
    display = PlainDisplay(Story(verbose=False), clock=lambda: now_s)
    display.created(a_job())

    for event in events(
        (0, StateChanged(JobState.RENDERING)),
        (0.1, ProgressMade(1, 90)),
        (0.2, ProgressMade(2, 90)),
    ):
        display.told(event)
    now_s = 2.5
    display.told(events((2.5, ProgressMade(25, 90)))[0])
    display.told(events((2.6, ProgressMade(26, 90)))[0])
    display.told(events((9, StateChanged(JobState.SUCCEEDED)))[0])

    lines = capsys.readouterr().err.splitlines()
    assert [line.split(" frames")[0].split() for line in lines] == [
        ["rendering", "0/90"],
        ["rendering", "25/90"],
        ["succeeded", "26/90"],
    ]


def test_the_live_display_shows_bar_speed_time_left_and_chunks() -> None:
    screen = Console(file=io.StringIO(), force_terminal=True, width=80, record=True)
    with Live(console=screen, auto_refresh=False) as live:
        display = LiveDisplay(live, Story(verbose=False))
        display.created(a_job())
        for event in events(
            (0, StateChanged(JobState.RENDERING)),
            (0, chunk(0, ChunkState.RENDERING)),
            (1, ProgressMade(5, 90)),
            (3, ProgressMade(45, 90)),
        ):
            display.told(event)

    bar, facts, chunks = screen.export_text().splitlines()[-3:]
    assert "━" in bar
    assert facts.rstrip() == "rendering  45/90 frames · 20.0 frames/s · ETA 0:02"
    assert chunks.rstrip() == "chunks: 0 rendered, 1 rendering, 2 waiting"


def test_json_progress_is_an_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    display = JsonDisplay()
    error = JobError(reason="PAGE_ERROR", message="boom")

    display.created(a_job())
    for event in events(
        (0, chunk(1, ChunkState.RENDERING)),
        (1, ProgressMade(3, 90)),
        (1, PageLogged(chunk_index=1, level="log", text="hi")),
        (2, StateChanged(JobState.FAILED, error)),
    ):
        display.told(event)

    told = capsys.readouterr()
    first, moved, made, logged, failed = map(json.loads, told.err.splitlines())
    assert told.out == ""
    assert first == {"event": "job_created", "job_id": "j1"}
    assert (moved["event"], moved["frames"], moved["state"]) == (
        "chunk_moved",
        [130, 160],
        "rendering",
    )
    assert made == {
        "sequence": 2,
        "time": "2026-01-01T12:00:01+00:00",
        "event": "progress_made",
        "frames_done": 3,
        "frames_total": 90,
    }
    assert (logged["level"], logged["text"]) == ("log", "hi")
    assert (failed["state"], failed["error"]["message"]) == ("failed", "boom")


@pytest.mark.parametrize(
    ("mode", "verbosity", "expected"),
    [
        (ProgressMode.PLAIN, Verbosity.QUIET, []),
        (ProgressMode.NONE, Verbosity.NORMAL, ["a farm starts"]),
        (
            ProgressMode.NONE,
            Verbosity.VERBOSE,
            [
                "a farm starts",
                "job j1: 90 frames of http://example.test/",
                "page, chunk 0, log: hi",
            ],
        ),
    ],
)
def test_what_is_told_follows_q_and_v(
    mode: ProgressMode,
    verbosity: Verbosity,
    expected: list[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    with open_display(mode, verbosity) as display:
        display.said("a farm starts")
        display.created(a_job())
        for event in events((0, PageLogged(chunk_index=0, level="log", text="hi"))):
            display.told(event)

    assert capsys.readouterr().err.splitlines() == expected

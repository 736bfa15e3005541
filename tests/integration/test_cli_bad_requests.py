"""A wrong request: exit 2, a clear line for each mistake, and nothing was started."""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from framefarm.cli import main

_STARTED: list[str] = []
_LISTENING: list[bool] = []


def _on_audit(event: str, _: object) -> None:
    if _LISTENING and event in ("subprocess.Popen", "os.posix_spawn", "os.fork", "os.exec"):
        _STARTED.append(event)


sys.addaudithook(_on_audit)


@contextmanager
def processes_started() -> Generator[list[str]]:
    """What this process starts within the block, told by the interpreter itself."""
    _STARTED.clear()
    _LISTENING.append(True)
    try:
        yield _STARTED
    finally:
        _LISTENING.clear()


@pytest.fixture(autouse=True)
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "page.html").write_text("<p>hello</p>")
    (tmp_path / "notes.txt").write_text("-")
    (tmp_path / "empty").mkdir()
    (tmp_path / "latin.json").write_bytes(b'{"a": "\xe4"}')
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FRAMEFARM_FARM", raising=False)


GOOD = "page.html -o out.mp4 --frames 90"
CASES = {
    "a missing file": ("gone.html -o out.mp4 --frames 90", "SOURCE: gone.html does not exist"),
    "no page": ("notes.txt -o out.mp4 --frames 90", "SOURCE: notes.txt is not an .html file"),
    "no index": ("empty -o out.mp4 --frames 90", "SOURCE: folder empty has no index.html"),
    "0 frames": ("page.html -o out.mp4 --frames 0", "--frames: 0 frames is outside 1…"),
    "no length": ("page.html -o out.mp4", "--frames: missing; give a number of frames, or"),
    "two lengths": (f"{GOOD} --duration 3s", "--frames: the duration says how long"),
    "a negative duration": ("page.html -o out.mp4 --duration -5s", "--duration: -5s is not longer"),
    "no number, by its value": (f"{GOOD} --crf good", "; got 'good'"),
    "an odd width": (f"{GOOD} --width 1281", "--width: 1281 is odd, and yuv420p needs even sides"),
    "an odd height": (f"{GOOD} --height 721", "--height: 721 is odd"),
    "an unknown codec": (f"{GOOD} --codec vp7", "--codec: 'vp7' is unknown; use h264, h265, "),
    "a codec that mp4 has no place for": (
        f"{GOOD} --codec vp8",
        "--container: mp4 does not hold vp8, which goes into webm or mkv; mp4 holds h264, ",
    ),
    "a film as one picture": ("page.html -o x.png --frames 9", "--frames: 9 frames are too many"),
    "an unknown preset": (f"{GOOD} --preset hasty", "--preset: 'hasty' is unknown to h264; use"),
    "an unknown mode": (f"{GOOD} --mode webgl", "--mode: 'webgl' is unknown; use auto, dom or"),
    "props not JSON": (f"{GOOD} --props {{", "--props: not JSON"),
    "props not there": (f"{GOOD} --props @gone.json", "--props: cannot read gone.json: No such"),
    "props not UTF-8": (f"{GOOD} --props @latin.json", "--props: latin.json is not UTF-8 text"),
    "a rate": (f"{GOOD} --fps fast", "--fps: 'fast' is not a frame rate"),
    "a timeout": (f"{GOOD} --stability-timeout soon", "--stability-timeout: 'soon' is not a"),
    "an avi": ("page.html -o x.avi --frames 90", "-o: x.avi ends in .avi; videos end in .mp4, "),
    "no output folder": ("page.html -o gone/x.mp4 --frames 9", "-o: there is no folder gone; make"),
    "0 workers": (f"{GOOD} --workers 0", "--workers: 0 workers render nothing; give at least 1"),
    "two farms": (f"{GOOD} --workers 2 --farm a:1", "--workers: the farm at a:1 has its own"),
    "no sound": (f"{GOOD} --audio gone.mp3,offset=1s", "--audio: gone.mp3 does not exist"),
    "a sound's option": (f"{GOOD} --audio page.html,tempo=2", "--audio: 'tempo' is no option"),
    "a chunk length": (f"{GOOD} --chunk-frames 0", "--chunk-frames: 0 is outside 1…"),
    "no number": ("page.html -o out.mp4 --frames many", "--frames"),
    "a typing mistake": (f"{GOOD} --widht 1280", "No such option: --widht"),
    "no output": ("page.html --frames 90", "Missing option '-o' / '--output'"),
    "a contradiction": (f"{GOOD} -q -v", "-q and -v say the opposite; drop one"),
}


@pytest.mark.parametrize(("line", "told"), CASES.values(), ids=CASES.keys())
def test_it_is_told_in_one_line_and_starts_nothing(
    line: str,
    told: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    before = sorted(tmp_path.iterdir())
    monkeypatch.setattr("sys.argv", ["framefarm", "render", *line.split()])

    with processes_started() as started, pytest.raises(SystemExit) as ended:
        main()

    printed = capfd.readouterr()
    assert ended.value.code == 2
    (complaint,) = printed.err.splitlines()
    assert complaint.startswith("framefarm: ")
    assert told in complaint
    assert printed.out == ""
    assert started == []
    assert sorted(tmp_path.iterdir()) == before


def test_several_mistakes_are_told_together(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    line = "gone.html -o x.avi --frames 0 --width 1281 --codec vp7"
    monkeypatch.setattr("sys.argv", ["framefarm", "render", *line.split()])

    with pytest.raises(SystemExit) as ended:
        main()

    assert ended.value.code == 2
    fields = [line.split(": ")[1] for line in capfd.readouterr().err.splitlines()]
    assert fields == ["SOURCE", "-o", "--codec", "--width", "--frames"]


def test_a_still_has_no_length(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    line = "page.html -o x.png --frame 3 --frames 9 --start-frame 2"
    monkeypatch.setattr("sys.argv", ["framefarm", "still", *line.split()])

    with pytest.raises(SystemExit) as ended:
        main()

    assert ended.value.code == 2
    told = capfd.readouterr().err.splitlines()
    assert [each.split(": ")[1] for each in told] == ["--frames", "--start-frame"]
    assert all(each.endswith("say which with --frame") for each in told)


def test_a_coordinator_whose_workers_are_no_addresses_does_not_start(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["framefarm", "coordinator", "--workers", "one,two"])

    with pytest.raises(SystemExit) as ended:
        main()

    assert ended.value.code == 2
    assert "--workers: 'one' is not an address" in capfd.readouterr().err


def test_the_hook_of_these_tests_hears_a_process_start() -> None:
    import subprocess

    with processes_started() as started:
        subprocess.run(["true"], check=True)

    assert started == ["subprocess.Popen"]


@pytest.mark.parametrize("service", ["worker", "coordinator"])
def test_a_setting_that_a_service_does_not_know_is_refused_with_the_one_that_was_meant(
    service: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    prefix = f"FRAMEFARM_{service.upper()}_"
    monkeypatch.setattr(sys, "argv", ["framefarm", service])
    monkeypatch.setenv(f"{prefix}LISTN", "127.0.0.1:0")
    monkeypatch.setenv(f"{prefix}PORT_50050_TCP_ADDR", "10.0.0.1")  # a service link

    with pytest.raises(SystemExit) as ended:
        main()

    assert ended.value.code == 2
    told = capsys.readouterr().err
    assert f"{prefix}LISTN: there is no such setting; did you mean {prefix}LISTEN?" in " ".join(
        told.split()
    )
    assert "PORT" not in told

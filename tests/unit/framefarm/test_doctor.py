"""The doctor tells what is here, what is not, and how to get it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from framefarm import doctor, programs
from framefarm.doctor import Finding, Machine, Verdict, examine_machine
from renderer.encode.codecs import CODECS

if TYPE_CHECKING:
    from pathlib import Path

FFMPEG = """\
case "$*" in
  -version) echo "ffmpeg version {version} Copyright (c) 2000-2026" ;;
  *) printf ' V..... = Video\\n ------\\n V....D libx264  H.264\\n A....D {audio}  sound\\n'
     printf ' V....D %s  more\\n' {more} ;;
esac
"""
SHELL = """\
case "$*" in
  --version) echo "Chromium 140.0.1 " ;;
  *) echo "<html><head></head></html>" ;;
esac
"""


class Bench:
    """A machine made of scripts and folders."""

    def __init__(self, root: Path) -> None:
        self.programs, self.cgroup = root / "bin", root / "cgroup"
        self.fonts, self.shared_memory = root / "fonts", root / "shm"
        for folder in (self.programs, self.cgroup, self.fonts, self.shared_memory):
            folder.mkdir()
        self.variables = {"PATH": f"{self.programs}", "HOME": str(root / "home")}

    def has_program(self, name: str, script: str) -> Path:
        path = self.programs / name
        path.write_text(f"#!/bin/sh\n{script}")
        path.chmod(0o755)
        return path

    def has_ffmpeg(
        self, version: str = "5.1.9-0+deb12u1", audio: str = "aac", without: str = ""
    ) -> None:
        more = " ".join({facts.encoder for facts in CODECS.values()} - {without})
        script = FFMPEG.format(version=version, audio=audio, more=more)
        self.has_program("ffmpeg", script)
        self.has_program("ffprobe", 'echo "ffprobe version 5.1.9"')

    def has_chromium(self, script: str) -> None:
        self.variables["FRAMEFARM_CHROMIUM"] = str(self.has_program("shell", script))

    def finding(self, name: str) -> Finding:
        machine = Machine(
            environment=self.variables,
            shared_memory=self.shared_memory,
            cgroup=self.cgroup,
            system_fonts=(self.fonts,),
        )
        (finding,) = examine_machine(machine, (name,))
        return finding


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_the_python_that_runs_the_tests_is_new_enough(bench: Bench) -> None:
    assert bench.finding("python").verdict is Verdict.OK


def test_playwrights_driver_starts(bench: Bench) -> None:
    finding = bench.finding("playwright")

    assert finding.verdict is Verdict.OK
    assert finding.found.startswith("Version 1.")


def test_a_driver_that_does_not_start_is_missing_and_says_why(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    python = bench.has_program("python", "echo 'node: libatomic.so.1: cannot open' >&2; exit 127")
    monkeypatch.setattr("sys.executable", str(python))

    finding = bench.finding("playwright")

    assert finding.verdict is Verdict.MISSING
    assert "libatomic.so.1: cannot open" in finding.found
    assert "libatomic1" in finding.remedy


def test_an_image_does_without_playwrights_driver(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("framefarm.doctor._driver_folder", lambda: tmp_path / "absent")

    finding = bench.finding("playwright")

    assert finding.verdict is Verdict.OK
    assert "without its driver" in finding.found


def test_a_browser_that_draws_a_page_is_found_with_its_version(bench: Bench) -> None:
    bench.has_chromium(SHELL)

    finding = bench.finding("chromium")

    assert finding.verdict is Verdict.OK
    assert finding.found == f"Chromium 140.0.1 at {bench.programs / 'shell'}"


def test_a_full_chromium_will_do_and_should_not(bench: Bench) -> None:
    full = bench.has_program("chrome", SHELL)
    bench.variables["FRAMEFARM_CHROMIUM"] = str(full)

    finding = bench.finding("chromium")

    assert finding.verdict is Verdict.WARNING
    assert f"{full} films by screenshots" in finding.found
    assert "chromium-headless-shell" in finding.remedy


def test_a_browser_that_is_named_but_absent_is_missing(bench: Bench) -> None:
    bench.variables["FRAMEFARM_CHROMIUM"] = "/nowhere/shell"

    finding = bench.finding("chromium")

    assert finding.verdict is Verdict.MISSING
    assert "/nowhere/shell" in finding.found
    assert finding.remedy


def test_a_browser_that_does_not_start_is_missing_and_says_why(bench: Bench) -> None:
    bench.has_chromium("echo 'libnss3.so: cannot open shared object file' >&2; exit 127")

    finding = bench.finding("chromium")

    assert finding.verdict is Verdict.MISSING
    assert "libnss3.so: cannot open shared object file" in finding.found
    assert "install-deps" in finding.remedy


def test_a_browser_of_another_machine_is_missing(bench: Bench) -> None:
    bench.has_chromium("")
    (bench.programs / "shell").write_bytes(b"\x7fELF, but not for us")

    assert bench.finding("chromium").verdict is Verdict.MISSING


def test_an_ffmpeg_with_all_encoders_is_found_with_its_version(bench: Bench) -> None:
    bench.has_ffmpeg()

    finding = bench.finding("ffmpeg")

    assert finding.verdict is Verdict.OK
    assert finding.found == f"5.1.9-0+deb12u1 at {bench.programs / 'ffmpeg'}"


def test_no_ffmpeg_is_missing_with_a_remedy(bench: Bench) -> None:
    finding = bench.finding("ffmpeg")

    assert finding.verdict is Verdict.MISSING
    assert "no ffmpeg and no ffprobe" in finding.found
    assert "apt-get install ffmpeg" in finding.remedy


def test_an_old_ffmpeg_is_missing(bench: Bench) -> None:
    bench.has_ffmpeg(version="4.4.2-0ubuntu0.22.04.1")

    finding = bench.finding("ffmpeg")

    assert finding.verdict is Verdict.MISSING
    assert "4.4.2" in finding.found
    assert "5.1" in finding.remedy


def test_an_ffmpeg_that_lacks_some_codecs_is_worth_a_warning(bench: Bench) -> None:
    bench.has_ffmpeg(without="prores_ks")

    finding = bench.finding("ffmpeg")

    assert finding.verdict is Verdict.WARNING
    assert finding.found.endswith("without prores, prores4444")


def test_an_ffmpeg_without_an_encoder_is_missing_and_names_it(bench: Bench) -> None:
    bench.has_ffmpeg(audio="libvorbis")

    finding = bench.finding("ffmpeg")

    assert finding.verdict is Verdict.MISSING
    assert finding.found.endswith("without aac")


@pytest.mark.parametrize(
    ("version", "too_old"),
    [
        ("5.1.9-0+deb12u1", False),
        ("6.1.1-3ubuntu5", False),
        ("n7.0", False),
        ("N-112233-gabcdef", False),
        ("5.0.3", True),
        ("4.4", True),
        (None, True),
    ],
)
def test_versions_of_ffmpeg_are_told_apart(version: str | None, *, too_old: bool) -> None:
    assert programs.is_too_old(version) is too_old


def test_no_fonts_is_missing_and_one_font_is_enough(bench: Bench) -> None:
    (bench.fonts / "README.txt").touch()
    before = bench.finding("fonts")
    (bench.fonts / "truetype").mkdir()
    (bench.fonts / "truetype" / "Sans.TTF").touch()

    after = bench.finding("fonts")

    assert (before.verdict, after.verdict) == (Verdict.MISSING, Verdict.OK)
    assert "fonts-dejavu-core" in before.remedy


def test_fonts_of_the_user_count(bench: Bench, tmp_path: Path) -> None:
    own = tmp_path / "home" / ".local" / "share" / "fonts"
    own.mkdir(parents=True)
    (own / "Mine.otf").touch()

    assert bench.finding("fonts").verdict is Verdict.OK


def test_no_shared_memory_is_a_warning(bench: Bench) -> None:
    bench.shared_memory.rmdir()

    finding = bench.finding("/dev/shm")

    assert finding.verdict is Verdict.WARNING
    assert finding.remedy


def test_a_small_shared_memory_is_a_warning(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "SHARED_MEMORY_BYTES", 1 << 60)

    finding = bench.finding("/dev/shm")

    assert finding.verdict is Verdict.WARNING
    assert "--shm-size" in finding.remedy


def test_a_control_group_with_little_memory_is_a_warning(bench: Bench) -> None:
    (bench.cgroup / "cpu.max").write_text("50000 100000\n")
    (bench.cgroup / "memory.max").write_text(f"{512 << 20}\n")

    finding = bench.finding("limits")

    assert finding.verdict is Verdict.WARNING
    assert finding.found == "0.5 CPUs and 512 MiB of memory"
    assert "1024 MiB" in finding.remedy


def test_a_control_group_with_enough_memory_is_well(bench: Bench) -> None:
    (bench.cgroup / "memory.max").write_text(f"{1 << 30}\n")

    assert bench.finding("limits").verdict is Verdict.OK


def test_every_finding_that_is_not_ok_says_what_to_do() -> None:
    findings = doctor.examine(os.environ)

    assert [finding.name for finding in findings] == list(doctor.CHECKS)
    assert all(finding.remedy for finding in findings if finding.verdict is not Verdict.OK)


def test_the_command_fails_for_what_is_missing_and_only_then(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", bench.variables["PATH"])
    without = doctor.main(["ffmpeg"])
    bench.has_ffmpeg()

    with_it = doctor.main(["ffmpeg"])

    assert (without, with_it) == (1, 0)
    assert "no ffmpeg and no ffprobe on the PATH" in capsys.readouterr().out


def test_the_command_refuses_a_need_it_does_not_know(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert doctor.main(["ffmpg"]) == 2
    assert "ffmpg" in capsys.readouterr().err

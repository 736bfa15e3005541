"""Libraries from npm, fetched once into .cache at pinned versions."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Final

from .require import missing

_CACHE: Final = Path(__file__).parents[2] / ".cache" / "npm"
_INSTALL_TIMEOUT_S: Final = 120

# Name on the page → package, version, and its file for a <script>.
LIBRARIES: Final = {
    "gsap": ("gsap", "3.12.5", "dist/gsap.min.js"),
    "anime": ("animejs", "3.2.2", "lib/anime.min.js"),
    "lottie": ("lottie-web", "5.12.2", "build/player/lottie.min.js"),
    "three": ("three", "0.160.0", "build/three.min.js"),
    "pixi": ("pixi.js", "7.4.2", "dist/pixi.min.js"),
    "d3": ("d3", "7.9.0", "dist/d3.min.js"),
}


def library(name: str) -> bytes:
    """The script of a library; skips the test where npm or its registry is out of reach."""
    package, version, file = LIBRARIES[name]
    prefix = _CACHE / f"{package}-{version}"
    script = prefix / "node_modules" / package / file
    if not script.exists():
        _install(f"{package}@{version}", prefix)
    return script.read_bytes()


def _install(package: str, prefix: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        missing("npm", "there is no npm on the PATH")
    prefix.mkdir(parents=True, exist_ok=True)
    quietly = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-save", "--no-package-lock"]
    command = [npm, "install", *quietly, "--prefix", str(prefix), package]
    try:
        subprocess.run(
            command, check=True, capture_output=True, text=True, timeout=_INSTALL_TIMEOUT_S
        )
    except subprocess.TimeoutExpired:
        missing("npm", f"its registry did not give {package} in {_INSTALL_TIMEOUT_S} s")
    except subprocess.CalledProcessError as error:
        missing("npm", f"it does not install {package}: {error.stderr.strip():.200}")

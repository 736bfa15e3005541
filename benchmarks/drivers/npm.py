"""What peers come from: packages of npm at written-down versions, in a folder that git ignores."""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from renderer.errors import MissingToolError
from renderer.tools import find_chromium

from .base import PeerMissingError

CACHE: Final = Path(__file__).parents[2] / ".cache" / "peers"
_INSTALL_TIMEOUT_S: Final = 600
_NODE_VERSION: Final = "22.23.3"  # HyperFrames asks for 22
# They would download a browser of their own, or tell home of each render.
QUIET: Final = {
    "PUPPETEER_SKIP_DOWNLOAD": "1",
    "PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD": "1",
    "DO_NOT_TRACK": "1",
    "CI": "1",
}


def install(name: str, packages: Mapping[str, str]) -> Path:
    """Install packages of exactly these versions into a folder of their own, once.

    Raises:
        PeerMissingError: there is no npm, or it does not get them.

    """
    folder = CACHE / name
    wanted = {"private": True, "type": "module", "dependencies": dict(packages)}
    stamp = folder / "installed.json"
    if stamp.exists() and json.loads(stamp.read_text()) == wanted:
        return folder
    npm = shutil.which("npm")
    if npm is None:
        raise PeerMissingError("there is no npm on the PATH")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "package.json").write_text(json.dumps(wanted))
    command = [npm, "install", "--no-audit", "--no-fund", "--save-exact"]
    environment = os.environ | QUIET
    try:
        subprocess.run(
            command,
            cwd=folder,
            env=environment,
            check=True,
            capture_output=True,
            text=True,
            timeout=_INSTALL_TIMEOUT_S,
        )
    except subprocess.TimeoutExpired as error:
        raise PeerMissingError(f"npm did not bring {name} in {_INSTALL_TIMEOUT_S} s") from error
    except subprocess.CalledProcessError as error:
        raise PeerMissingError(
            f"npm does not install {name}: {error.stderr.strip():.200}"
        ) from error
    stamp.write_text(json.dumps(wanted))
    return folder


def node() -> Path:
    """Node.js of one version for all peers.

    Raises:
        PeerMissingError: there is no package of it for this machine.

    """
    machine = {"x86_64": "x64", "aarch64": "arm64"}.get(platform.machine())
    if machine is None:
        raise PeerMissingError(f"npm has no Node.js for {platform.machine()}")
    package = f"node-linux-{machine}"
    folder = install(f"node-{_NODE_VERSION}", {package: _NODE_VERSION})
    return folder / "node_modules" / package / "bin" / "node"


def browser() -> Path:
    """The browser that we use ourselves, with what root or a closed network ask of it.

    Raises:
        PeerMissingError: there is none.

    """
    try:
        chromium = find_chromium(os.environ)
    except MissingToolError as error:
        raise PeerMissingError(str(error)) from error
    flags = ["--disable-background-networking", "--disable-component-update", "--no-first-run"]
    if os.geteuid() == 0:
        flags.append("--no-sandbox")
    CACHE.mkdir(parents=True, exist_ok=True)
    script = CACHE / "browser"
    script.write_text(f'#!/bin/sh\nexec "{chromium}" {" ".join(flags)} "$@"\n')
    script.chmod(0o755)
    return script


def environment() -> dict[str, str]:
    """Give every peer: our Node.js first on the PATH, and a home that is not the user's."""
    home = CACHE / "home"
    home.mkdir(parents=True, exist_ok=True)
    search_path = f"{node().parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    return {**QUIET, "PATH": search_path, "HOME": str(home)}

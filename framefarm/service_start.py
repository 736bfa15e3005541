"""Starts a service of ours as a process. It imports little: a process can be started before all
that its starter needs is there.
"""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def start_service(arguments: Sequence[str], log: Path) -> subprocess.Popen[bytes]:
    """Start `python -m ARGUMENTS…`; what it complains of goes to `log`.

    Its temporary files go beside the log. It is to end when its standard input closes.
    """
    with log.open("wb") as stderr:
        return subprocess.Popen(
            command_of(arguments),
            bufsize=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            start_new_session=True,  # Ctrl-C is for us alone: we stop them in order
            env=os.environ | {"TMPDIR": str(log.parent)},
        )


def command_of(arguments: Sequence[str]) -> list[str]:
    # -P: a folder of the user's that is called like a package of ours must not be imported.
    return [sys.executable, "-P", "-m", *arguments]

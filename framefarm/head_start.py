"""HeadStart: the coordinator of a local farm, on its way before it is known what it is to render.

Its imports take as long as all that a client does until it needs one.
"""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from .service_start import start_service

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Mapping, Sequence

COORDINATOR: Final = "framefarm.local_coordinator"
_LOG: Final = "coordinator.log"
_RENDERING: Final = frozenset({"render", "still", "sheet"})
# With one of these it is another farm, or none at all.
_OTHERWISE: Final = ("--farm", "--workers", "--help", "-h")


@dataclass(frozen=True, slots=True)
class HeadStart:
    """A process that waits for its settings, and the folder of all its files.

    The folder is this process's to remove; the coordinator does it, if its standard input closes
    before it was given any settings.
    """

    folder: Path
    process: subprocess.Popen[bytes]

    @property
    def log(self) -> Path:
        return self.folder / _LOG

    def drop(self) -> None:
        """End what nobody has used, which has begun nothing, and remove the folder. Blocks."""
        if self.process.returncode is None:  # else somebody has used it, and seen its end
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
            for pipe in (self.process.stdin, self.process.stdout):
                if pipe is not None:
                    pipe.close()
        if self.folder.exists():
            shutil.rmtree(self.folder)


def head_start(*, renders: bool) -> HeadStart:
    """Start a coordinator, which renders itself or has workers.

    Raises:
        OSError: there is no place for its files.

    """
    folder = Path(tempfile.mkdtemp(prefix="framefarm-"))
    try:
        arguments = [COORDINATOR, str(folder), "local" if renders else "grpc"]
        return HeadStart(folder, start_service(arguments, folder / _LOG))
    except OSError:
        shutil.rmtree(folder)
        raise


def needs_local_farm(arguments: Sequence[str], environment: Mapping[str, str]) -> bool:
    """Tell whether these arguments most likely need a coordinator here that renders itself."""
    if not arguments or arguments[0] not in _RENDERING or environment.get("FRAMEFARM_FARM"):
        return False
    return not any(argument.startswith(_OTHERWISE) for argument in arguments)

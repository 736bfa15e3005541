"""Opening the artifact store that a coordinator is told of."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING

from .folder import open_folder
from .place import artifacts_at

if TYPE_CHECKING:
    from .base import ArtifactStore


async def open_artifacts(url: str, data_dir: Path) -> ArtifactStore:
    """Open the store that a URL names; "" is the folder `data_dir`.

    Raises:
        ValueError: the URL names none; the message says what would.
        StorageDownError: it cannot be reached, or refuses us.

    """
    match artifacts_at(url) if url else data_dir:
        case Path() as folder:
            return await asyncio.to_thread(open_folder, folder)
        case place:
            from .s3 import S3Artifacts

            store = S3Artifacts(place)
            await store.check()
            return store

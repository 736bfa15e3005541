from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from renderer.bundle import BundleStore, manifest_of
from renderer.composition import BundleEntry
from renderer.errors import BundleMissingError
from renderer.site import Site, content_type, file_path, open_site

FILES = {
    "index.html": "<p>hello",
    "film/index.html": "<p>film",
    "a b.mjs": "0",
    "v.mp4": "01234567",
}


def a_store(folder: Path, files: Mapping[str, str] = FILES) -> tuple[BundleStore, BundleEntry]:
    source = folder / "source"
    for name, text in files.items():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text(text)
    store = BundleStore(folder / "store")
    return store, BundleEntry(store.add_folder(source, manifest_of(source)))


@asynccontextmanager
async def a_site(folder: Path) -> AsyncGenerator[tuple[Site, aiohttp.ClientSession]]:
    """A site with one bundle, and a browser of it that needs no name service."""
    store, page = a_store(folder)
    async with open_site(store) as site:
        host = (await site.url(page)).split("/")[2]
        base = f"http://127.0.0.1:{site.port}/"
        async with aiohttp.ClientSession(base, headers={"Host": host}) as client:
            yield site, client


async def test_the_origin_is_the_bundles_on_every_machine(tmp_path: Path) -> None:
    store, page = a_store(tmp_path)

    async with open_site(store) as site:
        url = await site.url(BundleEntry(page.digest, "a b.mjs"))

        assert url == f"http://{page.digest[:32]}.composition.localhost/a%20b.mjs"
        assert site.resolver_rules == f"MAP *.composition.localhost 127.0.0.1:{site.port}"


async def test_an_answer_tells_nothing_of_the_machine(tmp_path: Path) -> None:
    async with a_site(tmp_path) as (_, client):
        for path in ("index.html", "missing.html"):
            answer = await client.get(path)

            assert not {"Date", "ETag", "Last-Modified", "Server"} & set(answer.headers)


async def test_an_unknown_bundle_is_missing(tmp_path: Path) -> None:
    store, _ = a_store(tmp_path)

    async with open_site(store) as site:
        with pytest.raises(BundleMissingError) as caught:
            await site.url(BundleEntry("0" * 64))

    assert caught.value.digest == "0" * 64


@pytest.mark.parametrize(
    ("path", "text", "kind"),
    [
        ("/", "<p>hello", "text/html"),
        ("/film/", "<p>film", "text/html"),
        ("/a%20b.mjs?v=1", "0", "text/javascript"),
        ("/v.mp4", "01234567", "video/mp4"),
    ],
)
async def test_files_are_served_with_their_type(
    tmp_path: Path, path: str, text: str, kind: str
) -> None:
    async with a_site(tmp_path) as (_, client), client.get(path) as answer:
        assert answer.status == 200
        assert await answer.text() == text
        assert answer.content_type == kind
        assert answer.headers["Cache-Control"] == "no-store"


async def test_a_range_is_a_part(tmp_path: Path) -> None:
    async with (
        a_site(tmp_path) as (_, client),
        client.get("/v.mp4", headers={"Range": "bytes=2-4"}) as answer,
    ):
        assert answer.status == 206
        assert await answer.read() == b"234"


async def test_head_tells_the_length(tmp_path: Path) -> None:
    async with a_site(tmp_path) as (_, client), client.head("/v.mp4") as answer:
        assert answer.status == 200
        assert answer.content_length == 8


@pytest.mark.parametrize("path", ["/absent.html", "/../store", "/%2e%2e/%2e%2e/etc/passwd"])
async def test_what_is_not_in_the_bundle_is_not_found(tmp_path: Path, path: str) -> None:
    async with a_site(tmp_path) as (_, client), client.get(path) as answer:
        assert answer.status == 404


async def test_another_host_has_no_files(tmp_path: Path) -> None:
    host = {"Host": f"{'0' * 32}.composition.localhost"}
    async with a_site(tmp_path) as (_, client), client.get("/", headers=host) as answer:
        assert answer.status == 404


async def test_nothing_can_be_written(tmp_path: Path) -> None:
    async with a_site(tmp_path) as (_, client), client.post("/index.html", data=b"x") as answer:
        assert answer.status == 405


def test_a_file_comes_before_a_folder_of_its_name() -> None:
    files = {"a": Path("1"), "a/index.html": Path("2")}

    assert file_path(files, "a") == "a"
    assert file_path(files, "a/") == "a/index.html"
    assert file_path(files, "b") is None


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("f.woff2", "font/woff2"),
        ("m.WASM", "application/wasm"),
        ("p.png", "image/png"),
        ("noext", "application/octet-stream"),
        ("x.unheard-of", "application/octet-stream"),
    ],
)
def test_types_go_by_the_suffix(path: str, kind: str) -> None:
    assert content_type(path) == kind

from __future__ import annotations

import posixpath
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from renderer.composition import BundleEntry, PageUrl, is_bundle_path, is_digest
from renderer.errors import InvalidRequestError

DIGEST = "0123456789abcdef" * 4


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost/",
        "https://example.org:8443/a/b.html?x=1#top",
        "http://[::1]:8000/",
        "http://münchen.example/straße",
    ],
)
def test_a_web_url_is_a_composition(url: str) -> None:
    assert str(PageUrl(url)) == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "page.html",
        "file:///etc/passwd",
        "ftp://example.org/",
        "javascript:alert(1)",
        "http://",
        "http:///path",
        "http://:80/",
        "http://[::1/",
        "http://example.org:99999/",
        "http://example.org/a\nb",
        "http://example.org/\udcff",
    ],
)
def test_what_is_no_web_url_is_refused(url: str) -> None:
    with pytest.raises(InvalidRequestError, match="not an http or https URL") as refused:
        PageUrl(url)

    assert refused.value.violations[0].field == "composition"


@given(st.text())
def test_no_text_breaks_the_check_of_urls(text: str) -> None:
    with suppress(InvalidRequestError):  # and no other error
        assert PageUrl(f"http://{text}").url == f"http://{text}"


def test_a_bundles_page_is_named_by_digest_and_path() -> None:
    entry = BundleEntry(DIGEST, "pages/one two.html")

    assert str(entry) == "pages/one two.html of bundle 0123456789ab"


@pytest.mark.parametrize("digest", ["", "abc", DIGEST.upper(), DIGEST + "0", "g" * 64, "٣" * 64])
def test_a_digest_is_64_hex_digits_in_lower_case(digest: str) -> None:
    assert not is_digest(digest)
    with pytest.raises(InvalidRequestError, match="not a sha256 in hex"):
        BundleEntry(digest)


@pytest.mark.parametrize(
    "path", ["index.html", "a/b/c.js", "with space.png", "ünï.css", "..a", "a/..b", "a.b/.c", "~"]
)
def test_a_plain_relative_path_is_in_a_bundle(path: str) -> None:
    assert is_bundle_path(path)


@pytest.mark.parametrize(
    "path",
    [
        *("", ".", "..", "../a", "a/../../b", "a/..", "/a", "//a", "a//b", "a/", "./a", "a/./b"),
        *("a\\b", "a\0b", "a\nb", "a\rb", "a\x1bb", "a\udcffb"),
    ],
)
def test_what_leaves_a_bundle_or_confuses_is_refused(path: str) -> None:
    assert not is_bundle_path(path)
    with pytest.raises(InvalidRequestError, match="not a path inside a bundle"):
        BundleEntry(DIGEST, path)


@given(st.text(alphabet="ab./\\\0\n ", max_size=12))
def test_no_bundle_path_leads_out_of_a_folder(path: str) -> None:
    if is_bundle_path(path):
        joined = posixpath.normpath(posixpath.join("/root/bundle", path))
        assert joined.startswith("/root/bundle/")

"""Keeping: which warm page or browser serves a render, and how long each is kept. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from .approach import APPROACH_FRAMES
from .drawing import Screen
from .encode.codec_facts import Codec
from .errors import InvalidRequestError, Violation
from .settings import RenderSettings

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

# What the encoder alone reads: a page is the same whatever these are.
ENCODING: Final = (
    "codec", "container", "crf", "bitrate_kbps", "lossless", "bit_depth", "preset", "tune",
    "codec_options", "gop_frames", "encoder_threads", "burned_subtitles",
)  # fmt: skip
# FFV1 holds every page's pictures, with alpha, too.
_ANY: Final = RenderSettings(codec=Codec.FFV1)
_ANY_ENCODING: Final = {field: getattr(_ANY, field) for field in ENCODING}


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A page and how to look at it: from frame `start` on.

    `scripts` run in every document before its own, after ours. Views of one `series` may use one
    page, one after the other; without a series the page is a fresh one, and nobody uses it again.
    Nor does anybody where nothing `goes_on` after the view.
    """

    url: str
    settings: RenderSettings
    start: int = 0
    scripts: tuple[str, ...] = ()
    series: str = ""
    goes_on: bool = True
    reads_memory: bool = True

    @property
    def first_drawn(self) -> int:
        """Nobody sees a frame before this one."""
        return self.start - APPROACH_FRAMES

    @property
    def screen(self) -> Screen:
        return Screen(self.settings.device_scale_factor, self.settings.color_gamut)

    @property
    def key(self) -> PageKey:
        same = replace(self.settings, **_ANY_ENCODING)
        return PageKey(self.series, self.url, same, self.scripts, self.reads_memory)


@dataclass(frozen=True, slots=True)
class PageKey:
    """What two views have in common if they can use one page."""

    series: str
    url: str
    settings: RenderSettings
    scripts: tuple[str, ...]
    reads_memory: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class WarmLimits:
    """How many browsers are kept for the next render, each with its page, and for how long.

    A browser that has drawn `browser_frames`, or served `browser_chunks`, opens no more pages: it
    ends when its page is done. One that holds more than `browser_bytes` ends after the chunk, and
    so does one in which anything has failed.

    Raises:
        InvalidRequestError: a limit is negative.

    """

    browsers: int = 0
    page_idle_s: float = 30.0
    browser_idle_s: float = 300.0
    browser_frames: int = 100_000
    browser_chunks: int = 1_000
    browser_bytes: int = 2 << 30

    def __post_init__(self) -> None:
        limits = {name: getattr(self, name) for name in self.__slots__}
        wrong = [
            Violation(name, f"{limit} is negative") for name, limit in limits.items() if limit < 0
        ]
        if wrong:
            raise InvalidRequestError(wrong)


COLD: Final = WarmLimits()


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptPage:
    """An idle page. Time goes only forward: it can show frames from `from_frame` on."""

    key: PageKey
    from_frame: int


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptBrowser:
    """An idle browser, of those that draw on such a screen."""

    id: int
    screen: Screen
    idle_since_s: float
    is_worn: bool = False
    page: KeptPage | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """Take a browser, `with_page` or for a new one; or start one, after the `end` of another."""

    take: int | None = None
    with_page: bool = False
    end: int | None = None


def choose(view: View, idle: Collection[KeptBrowser], *, room: int) -> Choice:
    """Choose who serves a view, where `room` more browsers may be started.

    The page of the same series that is nearest to the start, before it; then a browser without a
    page; then a new one; and only then one whose page somebody may still want.
    """
    if (near := _nearest(view, idle)) is not None:
        return Choice(take=near.id, with_page=True)
    fit = [browser for browser in idle if browser.screen == view.screen and not browser.is_worn]
    bare = [browser for browser in fit if browser.page is None]
    if bare:
        return Choice(take=_longest_idle(bare).id)
    if room > 0 or not idle:
        return Choice()
    if fit:
        return Choice(take=_longest_idle(fit).id)
    return Choice(end=_longest_idle(idle).id)


def _nearest(view: View, idle: Iterable[KeptBrowser]) -> KeptBrowser | None:
    if not view.series:
        return None
    key = view.key
    reaching = [
        (browser.page.from_frame, browser)
        for browser in idle
        if browser.page and browser.page.key == key and browser.page.from_frame <= view.start
    ]
    return max(reaching, key=lambda one: one[0], default=(0, None))[1]


def _longest_idle(idle: Iterable[KeptBrowser]) -> KeptBrowser:
    return min(idle, key=lambda browser: browser.idle_since_s)


def is_worn(limits: WarmLimits, *, frames: int, chunks: int) -> bool:
    """Tell whether a browser has drawn, or served, so much that it opens no more pages."""
    return frames >= limits.browser_frames or chunks >= limits.browser_chunks


@dataclass(frozen=True, slots=True)
class Chore:
    """Something to be done `at_s`: a browser's end, or its page's."""

    at_s: float
    browser: int
    ends_browser: bool


def next_chore(idle: Iterable[KeptBrowser], limits: WarmLimits) -> Chore | None:
    """What has to be done first, if nobody takes anything."""
    chores = (chore for browser in idle for chore in _chores(browser, limits))
    return min(chores, key=lambda chore: chore.at_s, default=None)


def _chores(browser: KeptBrowser, limits: WarmLimits) -> Iterator[Chore]:
    yield Chore(browser.idle_since_s + limits.browser_idle_s, browser.id, ends_browser=True)
    if browser.page is not None:
        at_s = browser.idle_since_s + limits.page_idle_s
        yield Chore(at_s, browser.id, ends_browser=browser.is_worn)

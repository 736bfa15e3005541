"""What workers of a page compute and say is the same in every run; what they do wrong is told."""

from __future__ import annotations

import json
from typing import Any

import pytest

from renderer.errors import CompositionError, Fault, FrameStalledError
from renderer.frames import FrameRate
from tests.support.pages import Crew

pytestmark = pytest.mark.asyncio(loop_scope="module")

# Each line of a worker is one of the console.
LISTEN = """<script>
  const hear = (worker) => {
    (worker.port ?? worker).onmessage = ({ data }) => console.log(JSON.stringify(data));
    return worker;
  };
</script>"""


async def told(
    crew: Crew, script: str, worker: str, frames: tuple[int, int] = (0, 3), **settings: Any
) -> list[Any]:
    """What `worker` has said to a page that runs `script`."""
    page = f"<!doctype html><body>{LISTEN}<script>{script}</script>"
    files = {"index.html": page, "w.js": worker, "data.json": "[7]"}
    film = await crew.film_files(files, frames, **settings)
    return [json.loads(line) for line in film.console if line[0] in "[{"]


DRAWS = """
  const draws = (name) => postMessage(
    [name, Math.random(), crypto.randomUUID(), ...crypto.getRandomValues(new Uint8Array(3))]);
  draws("load");
  setInterval(() => draws("timer"), 30);
  requestAnimationFrame(function next() { draws("frame"); requestAnimationFrame(next) });"""


async def test_the_chance_of_each_worker_is_its_own_and_the_seeds(crew: Crew) -> None:
    two = "for (const _ of [1, 2]) hear(new Worker('w.js'))"

    first, again, other = [await told(crew, two, DRAWS, seed=seed) for seed in (1, 1, 2)]

    assert len(first) == 2 * (1 + 2 + 3)
    assert first == again
    assert len({draw[2] for draw in first + other}) == 2 * len(first)


async def test_answers_come_in_the_order_of_the_workers_that_give_them(crew: Crew) -> None:
    script = """const workers = [40, 0, 20].map((ms) => [hear(new Worker("w.js")), ms]);
      requestAnimationFrame(function ask() {
        for (const [worker, ms] of workers) worker.postMessage([framefarm.frame, ms]);
        requestAnimationFrame(ask);
      })"""
    slow = """onmessage = ({ data }) => {
        let sum = 0;
        for (let i = 0; i < data[1] * 2e5; i++) sum += i % 3;
        postMessage([...data, sum % 1]);
      }"""

    answers = await told(crew, script, slow)

    assert answers == [[frame, ms, 0] for frame in range(3) for ms in (40, 0, 20)]


async def test_what_a_worker_fetches_and_hashes_takes_no_time(crew: Crew) -> None:
    worker = """setInterval(async () => {
        const data = await (await fetch("data.json")).json();
        await crypto.subtle.digest("SHA-256", new Uint8Array(1 << 20));
        const picture = await createImageBitmap(new ImageData(4, 4));
        postMessage([performance.now(), ...data, picture.width]);
      }, 50)"""
    script = """hear(new Worker("w.js"));
      requestAnimationFrame(function frame(ms) {
        console.log(JSON.stringify([framefarm.frame])); requestAnimationFrame(frame);
      })"""

    said = await told(crew, script, worker, (0, 6), frame_rate=FrameRate(25))

    assert said == [[0], [1], [50, 7, 4], [2], [100, 7, 4], [3], [150, 7, 4], [4], [200, 7, 4], [5]]


async def test_a_worker_that_a_hook_waits_for_answers_in_that_frame(crew: Crew) -> None:
    script = """framefarm.onFrame((frame) => new Promise((resolve) => {
        const worker = hear(new Worker("w.js"));
        worker.addEventListener("message", resolve);
        worker.postMessage(frame);
      }))"""

    said = await told(crew, script, "onmessage = (e) => postMessage([e.data, performance.now()])")

    assert said == [[0, 5e-324], [1, 33.4], [2, 66.7]]


async def test_a_page_is_ready_when_its_worker_is(crew: Crew) -> None:
    script = """let isReady = false;
      framefarm.ready(new Promise((resolve) => {
        new Worker("w.js").onmessage = resolve;
      }).then(() => (isReady = true)));
      framefarm.onFrame((frame) => frame || console.log(JSON.stringify([isReady, Date.now()])))"""
    worker = "setTimeout(() => postMessage(0), 200)"  # time, of which there is none while it loads

    said = await told(crew, script, worker, (0, 1), epoch_ms=1000)

    assert said == [[True, 1000]]


@pytest.mark.parametrize(
    "script",
    [
        "new Worker('missing.js').onerror = () => console.log('[1]')",
        "const w = new Worker('w.js'); w.terminate(); console.log('[1]')",
        "hear(new Worker('w.js')).onerror = (e) => e.preventDefault()",
        """const f = document.body.appendChild(document.createElement('iframe')).contentWindow;
        f.hear = hear; f.eval(`hear(new Worker('w.js'))`);
        setTimeout(() => document.querySelector('iframe').remove(), 50)""",
        "setInterval(() => hear(new Worker('w.js')).terminate(), 11); console.log('[1]')",
    ],
)
async def test_a_worker_may_go(crew: Crew, script: str) -> None:
    said = await told(crew, script, "postMessage([1]); setTimeout(close, 40)", (0, 5))

    assert said[0] == [1]


@pytest.mark.parametrize(
    "worker",
    [
        "throw new Error('no way')",
        "setTimeout(() => { throw new Error('no way') }, 50)",
        "requestAnimationFrame(() => { throw new Error('no way') })",
        "Promise.reject(new Error('no way'))",
    ],
)
async def test_a_worker_that_throws_fails_the_page(crew: Crew, worker: str) -> None:
    with pytest.raises(CompositionError, match="no way") as caught:
        await told(crew, "new Worker('w.js')", worker)

    assert caught.value.fault is Fault.PAGE_ERROR


async def test_a_worker_that_does_not_end_is_named(crew: Crew) -> None:
    worker = "setTimeout(() => { for (;;); }, 50)"

    with pytest.raises(FrameStalledError, match=r"worker \S+/w.js did not come to rest within 3 s"):
        await told(crew, "new Worker('w.js')", worker)


async def test_a_service_worker_has_the_time_of_the_page(crew: Crew) -> None:
    script = """const { serviceWorker } = navigator;
      serviceWorker.onmessage = ({ data }) => console.log(JSON.stringify(data));
      const ready = serviceWorker.register("w.js").then(() => serviceWorker.ready);
      framefarm.ready(ready);
      framefarm.onFrame(async () => (await ready).active.postMessage([framefarm.frame]))"""
    worker = """let ticks = 0;
      setInterval(() => ticks++, 10);
      onmessage = (e) => e.source.postMessage([...e.data, Date.now(), ticks, Math.random()])"""

    first, again = [await told(crew, script, worker, (0, 4), epoch_ms=0) for _ in range(2)]

    assert first == again
    assert [answer[:3] for answer in first] == [[0, 0, 0], [1, 34, 3], [2, 67, 6], [3, 101, 10]]
    assert len({answer[3] for answer in first}) == 4


async def test_a_paint_worklet_has_the_time_and_the_chance_of_the_frame(crew: Crew) -> None:
    page = """<style>@property --n { syntax: "<number>"; initial-value: 0; inherits: false }
      p { height: 50px; background: paint(it) }</style><p></p><script>
      framefarm.ready(CSS.paintWorklet.addModule("p.js"));
      framefarm.onFrame((n) => document.querySelector("p").style.setProperty("--n", n));
      requestAnimationFrame(function next() { requestAnimationFrame(next) });
    </script>"""
    worklet = """registerPaint("it", class {
      static inputProperties = ["--n"];
      paint(context, size, properties) {
        context.fillStyle = `hsl(${Math.random()}turn 90% 50%)`;
        context.fillRect(0, 0, properties.get("--n").value + Date.now(), size.height);
      }
    })"""
    files = {"index.html": f"<!doctype html><body style='margin: 0'>{page}", "p.js": worklet}

    films = [await crew.film_files(files, (0, 6), epoch_ms=0, crf=0) for _ in range(2)]

    assert films[0].pictures == films[1].pictures
    widths = [int((luma[25] < 235).sum()) for luma, _, _ in films[0].planes]
    assert widths == [0, 1 + 34, 2 + 67, 3 + 101, 4 + 134, 5 + 167]


async def test_an_audio_worklet_has_the_date_and_the_chance_but_the_sound_cards_time(
    crew: Crew,
) -> None:
    script = """const context = new AudioContext();
      framefarm.ready(context.audioWorklet.addModule("w.js").then(() => new Promise((resolve) => {
        const { port } = hear(new AudioWorkletNode(context, "it"));
        port.addEventListener("message", resolve);
      })))"""
    worklet = """registerProcessor("it", class extends AudioWorkletProcessor {
      constructor() { super(); this.port.postMessage([Date.now(), Math.random()]) }
      process() { return false }
    })"""

    first, again = [await told(crew, script, worklet, epoch_ms=5) for _ in range(2)]

    assert first == again
    assert first[0][0] == 5


async def test_a_port_leads_to_a_worker_in_the_same_order(crew: Crew) -> None:
    script = """const { port1, port2 } = new MessageChannel();
      new Worker("w.js").postMessage({ port: port2 }, [port2]);
      hear(port1);
      requestAnimationFrame(function draw() {
        const frame = framefarm.frame;
        console.log(JSON.stringify([frame]));
        port1.postMessage(frame);
        requestAnimationFrame(draw);
      })"""
    worker = """onmessage = ({ data: { port } }) => {
        port.onmessage = ({ data }) => port.postMessage([data, "answered"]);
        setInterval(() => port.postMessage([Math.round(performance.now()), "timer"]), 40);
      }"""

    said = await told(crew, script, worker, (0, 4))

    assert said == [
        *([0], [0, "answered"], [1], [1, "answered"]),
        *([40, "timer"], [2], [2, "answered"], [80, "timer"], [3], [3, "answered"]),
    ]


async def test_a_message_channel_within_the_page_is_left_alone(crew: Crew) -> None:
    script = """const { port1, port2 } = new MessageChannel();
      port1.onmessage = ({ data }) => console.log(JSON.stringify([data, performance.now()]));
      setTimeout(() => port2.postMessage("sent"), 50);
      new Worker("w.js")"""

    assert await told(crew, script, "0", (0, 3)) == [["sent", 50]]

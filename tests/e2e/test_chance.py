"""Chance is a matter of the seed, the document and the frame, and of nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.pages import Crew

pytestmark = pytest.mark.asyncio(loop_scope="module")

DRAWS = """<script>
  const draws = (name, count) => console.log(JSON.stringify({
    name, frame: framefarm.frame,
    numbers: Array.from({ length: count }, Math.random),
    bytes: [...crypto.getRandomValues(new Uint8Array(4))],
    uuid: crypto.randomUUID(),
  }));
  draws("load", 2);
  const greedy = framefarm.props.greedy;
  framefarm.onFrame((frame) => {
    for (let i = 0; i < (frame < 5 ? greedy : 0); i++) Math.random();
  });
  setInterval(() => draws("timer", 1), 10);
  requestAnimationFrame(function draw() {
    draws("frame", 2);
    if (framefarm.frame < 5) for (let i = 0; i < greedy; i++) Math.random();
    requestAnimationFrame(draw);
  });
</script>"""


async def draws(crew: Crew, html: str = DRAWS, greedy: int = 0, **settings: Any) -> list[Any]:
    props = json.dumps({"greedy": greedy})
    film = await crew.film_html(html, (0, 8), props_json=props, **settings)
    return [json.loads(line) for line in film.console]


async def test_what_a_frame_draws_does_not_depend_on_the_frames_before_it(crew: Crew) -> None:
    sparing, greedy = await draws(crew), await draws(crew, greedy=1000)

    late = [draw for draw in sparing if draw["frame"] >= 5]
    assert len(late) > 9
    assert {draw["name"] for draw in late} == {"timer", "frame"}
    assert [draw for draw in greedy if draw["frame"] >= 5] == late


async def test_every_draw_of_every_frame_is_another(crew: Crew) -> None:
    made = await draws(crew)

    numbers = [number for draw in made for number in draw["numbers"]]
    assert len(set(numbers)) == len(numbers) > 40
    assert len({draw["uuid"] for draw in made}) == len(made)
    assert 0.3 < sum(numbers) / len(numbers) < 0.7


async def test_the_seed_decides(crew: Crew) -> None:
    first, again, other = [await draws(crew, seed=seed) for seed in (1, 1, 2)]

    assert first == again
    assert not {draw["uuid"] for draw in first} & {draw["uuid"] for draw in other}


async def test_each_frame_of_the_page_has_its_own_draws(crew: Crew) -> None:
    inner = "<script>parent.console.log(JSON.stringify([Math.random()]))</script>"
    frame = f"<iframe srcdoc='{inner}'></iframe>"

    made = await draws(crew, f"<script>console.log(Math.random())</script>{frame}{frame}")
    again = await draws(crew, f"<script>console.log(Math.random())</script>{frame}{frame}")

    assert len({str(number) for number in made}) == 3
    assert made == again

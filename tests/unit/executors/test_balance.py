from __future__ import annotations

from executors.balance import WorkerView, pick


def a_worker(address: str, **changes: object) -> WorkerView:
    given = {"slots": 2, "leased": 0, "serving": True, "fingerprint": "f"} | changes
    return WorkerView(address=address, **given)  # type: ignore[arg-type]


def test_the_least_loaded_worker_gets_the_chunk() -> None:
    workers = [a_worker("a", leased=1), a_worker("b", slots=4, leased=1), a_worker("c", leased=1)]

    assert pick(workers, fingerprint=None) == "b"


def test_a_worker_that_holds_the_composition_comes_first() -> None:
    workers = [a_worker("a"), a_worker("b", leased=1, holds_bundle=True)]

    assert pick(workers, fingerprint=None) == "b"


def test_a_worker_whose_page_is_open_comes_before_one_that_only_holds_the_composition() -> None:
    workers = [a_worker("a", holds_bundle=True), a_worker("b", leased=1, warm_from=0)]

    assert pick(workers, fingerprint=None) == "b"


def test_the_page_that_is_nearest_to_the_chunk_goes_on() -> None:
    workers = [a_worker("a", warm_from=30), a_worker("b", warm_from=60), a_worker("c")]

    assert pick(workers, fingerprint=None) == "b"


def test_a_worker_without_room_or_health_is_passed_over() -> None:
    workers = [a_worker("a", leased=2), a_worker("b", serving=False), a_worker("c", slots=0)]

    assert pick(workers, fingerprint=None) is None


def test_a_job_stays_with_its_fingerprint() -> None:
    workers = [a_worker("a", fingerprint="old"), a_worker("b", fingerprint="new", leased=1)]

    assert pick(workers, fingerprint="new") == "b"
    assert pick(workers, fingerprint="other") is None


def test_a_worker_that_failed_the_chunk_is_the_last_choice_but_a_choice() -> None:
    workers = [a_worker("a"), a_worker("b", leased=1)]

    assert pick(workers, fingerprint=None, avoid={"a"}) == "b"
    assert pick(workers[:1], fingerprint=None, avoid={"a"}) == "a"

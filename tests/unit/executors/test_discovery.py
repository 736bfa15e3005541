from __future__ import annotations

import pytest

from executors.discovery import DnsWorkers, FixedWorkers, discovery


def test_addresses_are_a_fixed_list() -> None:
    assert discovery(("a:1", "b:2")) == FixedWorkers(frozenset({"a:1", "b:2"}))


def test_a_dns_name_is_looked_up_again_and_again() -> None:
    assert discovery(("dns:///worker:50051",)) == DnsWorkers("worker", 50051)


async def test_a_name_becomes_one_address_for_each_machine_behind_it() -> None:
    assert "127.0.0.1:50051" in await DnsWorkers("localhost", 50051).addresses()


@pytest.mark.parametrize("text", ["worker", "http://a:1", ":5", "a:b", "a:65536", "dns:///worker"])
def test_what_is_no_address_is_refused_with_the_remedy(text: str) -> None:
    with pytest.raises(ValueError, match="write HOST:PORT"):
        discovery((text,))


def test_no_worker_at_all_is_refused() -> None:
    with pytest.raises(ValueError, match="no worker was named"):
        discovery(())

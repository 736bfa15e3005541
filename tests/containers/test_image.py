"""What the images promise to those who run them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .farm import Farm, Service

each_service = pytest.mark.parametrize("name", ["coordinator", "worker"])


def service(farm: Farm, name: str) -> Service:
    return farm.coordinator if name == "coordinator" else farm.workers[0]


def configuration(one: Service) -> dict[str, Any]:
    found: dict[str, Any] = one.container.get_wrapped_container().image.attrs["Config"]
    return found


@each_service
def test_it_runs_as_a_user_without_rights(farm: Farm, name: str) -> None:
    code, said = service(farm, name).run("id", "-u")

    assert (code, said.strip()) == (0, "10001")


@each_service
def test_its_root_is_read_only_and_its_data_and_tmp_are_not(farm: Farm, name: str) -> None:
    one = service(farm, name)

    assert one.run("touch", "/opt/framefarm/new")[0] != 0
    assert one.run("touch", "/var/lib/framefarm/new", "/tmp/new")[0] == 0


@each_service
def test_an_init_reaps_what_is_left_over(farm: Farm, name: str) -> None:
    assert service(farm, name).run("cat", "/proc/1/comm") == (0, "tini\n")


@each_service
def test_its_own_health_check_passes(farm: Farm, name: str) -> None:
    one = service(farm, name)
    kind, *command = configuration(one)["Healthcheck"]["Test"]

    assert kind == "CMD"
    assert one.run(*command) == (0, "")


@each_service
def test_its_health_check_fails_where_nothing_answers(farm: Farm, name: str) -> None:
    code, said = service(farm, name).run("python", "-m", "serving.health_check", "127.0.0.1:1")

    assert (code, said) == (1, "127.0.0.1:1: UNAVAILABLE\n")


@each_service
def test_it_holds_no_tools_of_the_build(farm: Farm, name: str) -> None:
    code, said = service(farm, name).run("sh", "-c", "command -v pip pip3 gcc git curl")

    assert (code, said) == (127, "")


@each_service
def test_it_says_which_ports_and_folders_are_its_own(farm: Farm, name: str) -> None:
    one = service(farm, name)
    found = configuration(one)

    assert list(found["ExposedPorts"]) == [f"{one.port}/tcp"]
    assert list(found["Volumes"]) == ["/var/lib/framefarm"]


def test_a_coordinator_has_no_browser(farm: Farm) -> None:
    code, said = farm.coordinator.run("python", "-m", "framefarm.doctor", "chromium")

    assert code == 1
    assert "no Chromium found" in said


def test_a_coordinator_has_an_ffmpeg_to_join_chunks_with(farm: Farm) -> None:
    code, said = farm.coordinator.run("python", "-m", "framefarm.doctor", "ffmpeg")

    assert code == 0, said


def test_a_worker_has_all_that_a_render_needs(farm: Farm) -> None:
    code, said = farm.workers[0].run("framefarm", "doctor")

    assert code == 0, said

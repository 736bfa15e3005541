"""The manifests render, are what Kubernetes accepts, and keep to our own rules."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from grpc_health.v1 import health

from coordinator.settings import CoordinatorSettings
from tests.support.require import missing
from worker.settings import WorkerSettings

ROOT = Path(__file__).parents[2]
FOLDERS = ("base", "overlays/kind", "overlays/production")
# The first Kubernetes with the `sleep` hook on by default, and the newest that the schemas know.
VERSIONS = ("1.30.0", kubernetes_validate.latest_version())
PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "127.0.0.0/8")
PRIVATE_6 = ("fc00::/7", "fe80::/10", "::1/128")

Manifest = dict[str, Any]


@cache
def rendered(folder: str) -> tuple[Manifest, ...]:
    if shutil.which("kubectl") is None:
        missing("kubectl", "the manifests are rendered by `kubectl kustomize`")
    command = ["kubectl", "kustomize", str(ROOT / "k8s" / folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return tuple(yaml.safe_load_all(done.stdout))


def of_kind(folder: str, kind: str) -> list[Manifest]:
    return [manifest for manifest in rendered(folder) if manifest["kind"] == kind]


def the(folder: str, kind: str, name: str) -> Manifest:
    (found,) = [one for one in of_kind(folder, kind) if one["metadata"]["name"] == name]
    return found


def workloads(folder: str) -> dict[str, Manifest]:
    return {
        "worker": the(folder, "Deployment", "framefarm-worker"),
        "coordinator": the(folder, "StatefulSet", "framefarm-coordinator"),
    }


def pod(workload: Manifest) -> Manifest:
    spec: Manifest = workload["spec"]["template"]["spec"]
    return spec


def container(workload: Manifest) -> Manifest:
    (only,) = pod(workload)["containers"]
    found: Manifest = only
    return found


def variables(workload: Manifest) -> dict[str, str]:
    return {row["name"]: row["value"] for row in container(workload)["env"]}


def quantity(text: str) -> float:
    """A Kubernetes quantity as a number: 250m, 2, 512Mi, 4Gi."""
    match = re.fullmatch(r"(\d+)(m|Ki|Mi|Gi|Ti)?", text)
    assert match, text
    factor = {None: 1.0, "m": 1e-3, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40}
    return int(match[1]) * factor[match[2]]


def base_with(component: str, folder: Path) -> str:
    """Write an overlay of the base and a component, which Kubernetes accepts; return its folder."""
    k8s = os.path.relpath(ROOT / "k8s", folder.resolve())
    used = {"resources": [f"{k8s}/base"], "components": [f"{k8s}/components/{component}"]}
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(used))
    for manifest in rendered(str(folder)):
        kubernetes_validate.validate(manifest, VERSIONS[-1], strict=True)
    return str(folder)


def test_the_autoscaler_alone_says_how_many_workers_there_are(tmp_path: Path) -> None:
    folder = base_with("autoscaling", tmp_path)

    scaler = the(folder, "HorizontalPodAutoscaler", "framefarm-worker")["spec"]
    worker = workloads(folder)["worker"]
    target = {"apiVersion": worker["apiVersion"], "kind": worker["kind"]}
    assert scaler["scaleTargetRef"] == target | {"name": worker["metadata"]["name"]}
    assert "replicas" not in worker["spec"]
    assert "cpu" in container(worker)["resources"]["requests"]  # which it measures by


def test_two_coordinators_wait_for_nobody_who_stands_by(tmp_path: Path) -> None:
    folder = base_with("two-coordinators", tmp_path)

    coordinators = workloads(folder)["coordinator"]
    assert coordinators["spec"]["replicas"] == 2
    assert coordinators["spec"]["podManagementPolicy"] == "Parallel"
    assert coordinators["spec"]["updateStrategy"] == {"type": "OnDelete"}
    assert container(coordinators)["envFrom"] == [{"secretRef": {"name": "framefarm-coordinator"}}]


@pytest.mark.parametrize("probe", ["startupProbe", "livenessProbe"])
def test_a_coordinator_that_stands_by_is_not_killed_for_it(probe: str) -> None:
    coordinator = container(workloads("base")["coordinator"])

    assert coordinator[probe]["grpc"]["service"] == health.SERVICE_NAME
    assert "service" not in coordinator["readinessProbe"]["grpc"]


each_folder = pytest.mark.parametrize("folder", FOLDERS)
each_service = pytest.mark.parametrize("service", ["worker", "coordinator"])


@each_folder
@pytest.mark.parametrize("version", VERSIONS)
def test_kubernetes_accepts_every_object(folder: str, version: str) -> None:
    manifests = rendered(folder)

    assert len(manifests) >= 6
    for manifest in manifests:
        kubernetes_validate.validate(manifest, version, strict=True)


def test_the_validation_bites() -> None:
    broken = {"apiVersion": "v1", "kind": "Service", "metadata": {"nam": "typo"}}

    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(broken, VERSIONS[-1], strict=True)


@each_folder
def test_no_object_comes_twice(folder: str) -> None:
    names = [(one["kind"], one["metadata"]["name"]) for one in rendered(folder)]

    assert len(names) == len(set(names))


def test_the_base_has_no_namespace_and_the_overlays_have_one() -> None:
    def namespaces(folder: str) -> set[str | None]:
        return {one["metadata"].get("namespace") for one in rendered(folder)}

    assert namespaces("base") == {None}
    assert namespaces("overlays/kind") == {"framefarm", None}  # None: the namespace itself
    assert namespaces("overlays/production") == {"framefarm", None}


@each_folder
@each_service
def test_no_container_has_rights_it_does_not_need(folder: str, service: str) -> None:
    workload = workloads(folder)[service]
    rights = pod(workload)["securityContext"]

    assert (rights["runAsNonRoot"], rights["runAsUser"], rights["fsGroup"]) == (True, 10001, 10001)
    assert rights["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container(workload)["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert not {"hostNetwork", "hostPID", "hostIPC"} & pod(workload).keys()


@each_folder
@each_service
def test_pods_get_no_token_and_no_variables_of_services(folder: str, service: str) -> None:
    workload = workloads(folder)[service]

    assert pod(workload)["automountServiceAccountToken"] is False
    assert pod(workload)["enableServiceLinks"] is False
    (account,) = of_kind(folder, "ServiceAccount")
    assert account["automountServiceAccountToken"] is False
    assert pod(workload)["serviceAccountName"] == account["metadata"]["name"]


@each_folder
@each_service
def test_each_container_is_probed_over_grpc_on_its_port(folder: str, service: str) -> None:
    one = container(workloads(folder)[service])
    (port,) = one["ports"]

    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert one[probe]["grpc"]["port"] == port["containerPort"], probe


@each_folder
@each_service
def test_each_container_has_requests_and_limits(folder: str, service: str) -> None:
    resources = container(workloads(folder)[service])["resources"]

    assert resources["requests"].keys() == {"cpu", "memory", "ephemeral-storage"}
    assert {"memory", "ephemeral-storage"} <= resources["limits"].keys()
    for name, most in resources["limits"].items():
        assert quantity(resources["requests"][name]) <= quantity(most), name


@each_folder
def test_a_worker_is_given_all_the_memory_it_may_use(folder: str) -> None:
    workload = workloads(folder)["worker"]
    resources = container(workload)["resources"]
    slots = int(variables(workload)["FRAMEFARM_WORKER_SLOTS"])

    assert resources["requests"]["memory"] == resources["limits"]["memory"]
    assert quantity(resources["limits"]["memory"]) >= slots << 30


@each_folder
@each_service
def test_images_have_a_tag_that_does_not_move(folder: str, service: str) -> None:
    name, _, tag = container(workloads(folder)[service])["image"].rpartition(":")

    assert name.rpartition("/")[2] == f"framefarm-{service}"
    assert tag
    assert tag != "latest"


@each_folder
def test_chromium_has_shared_memory_within_the_limit(folder: str) -> None:
    workload = workloads(folder)["worker"]
    (volume,) = [one for one in pod(workload)["volumes"] if one["name"] == "shm"]
    mounts = {row["name"]: row["mountPath"] for row in container(workload)["volumeMounts"]}
    most = quantity(container(workload)["resources"]["limits"]["memory"])

    assert volume["emptyDir"]["medium"] == "Memory"
    assert 512 << 20 <= quantity(volume["emptyDir"]["sizeLimit"]) <= most / 2
    assert mounts["shm"] == "/dev/shm"


@each_folder
@each_service
def test_every_place_that_is_written_to_is_a_volume_with_a_size(folder: str, service: str) -> None:
    workload = workloads(folder)[service]
    mounts = {row["mountPath"]: row["name"] for row in container(workload)["volumeMounts"]}
    volumes = {one["name"]: one for one in pod(workload)["volumes"]}
    claims = {one["metadata"]["name"] for one in workload["spec"].get("volumeClaimTemplates", [])}

    assert {"/tmp", "/var/lib/framefarm"} <= mounts.keys()
    for name in mounts.values():
        assert name in claims or volumes[name]["emptyDir"]["sizeLimit"], name


@each_folder
def test_temporary_volumes_fit_into_the_storage_limit(folder: str) -> None:
    for workload in workloads(folder).values():
        sizes = [
            quantity(one["emptyDir"]["sizeLimit"])
            for one in pod(workload)["volumes"]
            if one["emptyDir"].get("medium") != "Memory"
        ]
        limit = container(workload)["resources"]["limits"]["ephemeral-storage"]
        assert sum(sizes) <= quantity(limit)


@each_folder
def test_a_worker_has_time_to_drain(folder: str, tmp_path: Path) -> None:
    workload = workloads(folder)["worker"]
    pause = container(workload)["lifecycle"]["preStop"]["sleep"]["seconds"]
    drain = WorkerSettings(data_dir=tmp_path).drain_timeout_s

    assert pod(workload)["terminationGracePeriodSeconds"] >= pause + drain + 20


@each_folder
def test_the_names_of_the_workers_are_those_of_the_ready_ones(folder: str) -> None:
    service = the(folder, "Service", "framefarm-worker")

    assert service["spec"]["clusterIP"] == "None"
    assert service["spec"]["publishNotReadyAddresses"] is False


@each_folder
@each_service
def test_services_budgets_and_policies_select_the_pods_they_are_for(
    folder: str, service: str
) -> None:
    labels = workloads(folder)[service]["spec"]["template"]["metadata"]["labels"]
    other = workloads(folder)["worker" if service == "coordinator" else "coordinator"]
    selectors = [the(folder, "Service", f"framefarm-{service}")["spec"]["selector"]]
    selectors += [
        one["spec"][field]["matchLabels"]
        for kind, field in (("PodDisruptionBudget", "selector"), ("NetworkPolicy", "podSelector"))
        for one in of_kind(folder, kind)
        if one["metadata"]["name"] == f"framefarm-{service}"
    ]

    for selector in selectors:
        assert selector.items() <= labels.items()
        assert not selector.items() <= other["spec"]["template"]["metadata"]["labels"].items()


@each_folder
def test_the_coordinator_looks_for_the_workers_where_they_are(folder: str) -> None:
    service = the(folder, "Service", "framefarm-worker")
    (port,) = service["spec"]["ports"]
    address = variables(workloads(folder)["coordinator"])["FRAMEFARM_COORDINATOR_WORKERS"]

    assert address == f"dns:///{service['metadata']['name']}:{port['port']}"


@each_folder
def test_the_coordinator_keeps_its_data_alone(folder: str) -> None:
    workload = workloads(folder)["coordinator"]
    (claim,) = workload["spec"]["volumeClaimTemplates"]
    mounts = {row["name"]: row["mountPath"] for row in container(workload)["volumeMounts"]}
    budgets = [one["metadata"]["name"] for one in of_kind(folder, "PodDisruptionBudget")]

    assert workload["spec"]["replicas"] == 1
    assert claim["spec"]["accessModes"] == ["ReadWriteOnce"]
    assert mounts[claim["metadata"]["name"]] == "/var/lib/framefarm"
    assert budgets == ["framefarm-worker"]  # one for a single replica would block every drain


@each_service
def test_manifests_image_and_defaults_agree(service: str, tmp_path: Path) -> None:
    stage = dockerfile_stage(service)
    workload = workloads("base")[service]
    (port,) = container(workload)["ports"]
    defaults = {
        "worker": WorkerSettings(data_dir=tmp_path).listen,
        "coordinator": CoordinatorSettings(workers=("w:1",), data_dir=tmp_path).listen,
    }
    listen = f"FRAMEFARM_{service.upper()}_LISTEN"

    assert f"EXPOSE {port['containerPort']}\n" in stage
    assert f"{listen}={variables(workload)[listen]}" in stage
    assert variables(workload)[listen] == f"0.0.0.0:{port['containerPort']}"
    assert defaults[service].endswith(f":{port['containerPort']}")
    assert f"USER {pod(workload)['securityContext']['runAsUser']}:" in stage
    assert f'CMD ["{service}"]' in stage


def dockerfile_stage(target: str) -> str:
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    (stage,) = [part for part in text.split("\nFROM ") if f" AS {target}\n" in part]
    return stage


def test_pages_on_production_workers_reach_nothing_private() -> None:
    policy = the("overlays/production", "NetworkPolicy", "framefarm-worker")["spec"]
    blocks = {
        target["ipBlock"]["cidr"]: set(target["ipBlock"]["except"])
        for rule in policy["egress"]
        for target in rule["to"]
        if "ipBlock" in target
    }

    assert policy["policyTypes"] == ["Ingress", "Egress"]
    assert blocks.keys() == {"0.0.0.0/0", "::/0"}
    assert set(PRIVATE) <= blocks["0.0.0.0/0"]
    assert set(PRIVATE_6) <= blocks["::/0"]


def test_only_the_coordinator_reaches_production_workers() -> None:
    policy = the("overlays/production", "NetworkPolicy", "framefarm-worker")["spec"]
    coordinator = workloads("overlays/production")["coordinator"]
    (rule,) = policy["ingress"]
    (source,) = rule["from"]
    labels = coordinator["spec"]["template"]["metadata"]["labels"]

    assert source.keys() == {"podSelector"}
    assert source["podSelector"]["matchLabels"].items() <= labels.items()
    assert rule["ports"] == [{"protocol": "TCP", "port": 50051}]


@pytest.mark.parametrize("kind", ["overlays", "components"])
def test_the_readme_names_every_folder_that_is_used_by_name(kind: str) -> None:
    text = (ROOT / "k8s" / "README.md").read_text(encoding="utf-8")

    for folder in (ROOT / "k8s" / kind).iterdir():
        assert f"{kind}/{folder.name}" in text

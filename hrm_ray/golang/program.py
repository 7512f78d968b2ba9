"""Declarations made a file of a package: with the imports of the standard library that they need."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from hrm_ray.golang.declarations import declarations, head
from hrm_ray.golang.references import imports, package_references
from hrm_ray.golang.toolchain import Toolchain

PACKAGE = "task"


def program(code: str, go: Toolchain, beside: str = "") -> str:
    """Return a file of package `task` that holds `code`; its own package clause, if it has one, is replaced.

    Packages that it names and neither imports, declares nor finds in `beside`, another file of the package, are
    imported: the shortest path of the standard library with that name that declares all that is selected of it.
    """
    data = code.encode("utf-8", "replace")
    clause = next((node for node in head(code).named_children if node.type == "package_clause"), None)
    bare = (data[: clause.start_byte] + data[clause.end_byte :] if clause else data).decode()
    whole = f"package {PACKAGE}\n\n{bare}"
    known = {one.alias or package(one.path) for one in imports(whole)} | _declared(beside)
    needed = {name: used for name, used in package_references(whole).items() if name not in known}
    found = (_path(name, frozenset(used), go) for name, used in sorted(needed.items()))
    lines = "".join(f'import "{path}"\n' for path in found if path)
    return f"package {PACKAGE}\n\n{lines}\n{bare}"


def package(path: str) -> str:
    """Return the name of the standard package at an import path."""
    *before, last = path.split("/")
    return before[-1] if before and last[0] == "v" and last[1:].isdigit() else last


def _declared(source: str) -> set[str]:
    return {name for one in declarations(f"package p\n\n{source}") for name in one.names}


@cache
def _path(name: str, used: frozenset[str], go: Toolchain) -> str | None:
    paths = sorted((path for path in go.standard if package(path) == name), key=len)
    return next((path for path in paths if used <= _exported(go.root / "src" / path)), None)


@cache
def _exported(folder: Path) -> frozenset[str]:
    """What the files of a package declare, those for other systems too."""
    sources = (path.read_text("utf-8") for path in folder.glob("*.go") if not path.name.endswith("_test.go"))
    return frozenset(name for source in sources for one in declarations(source) for name in one.names)

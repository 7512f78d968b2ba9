"""A digest of the code that a dataset is made with: a dataset is made again when it changes."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator
from pathlib import Path

from hrm_ray.files import sha256

_FOLDERS = ("collect", "golang", "prepare")
"""The folders whose code decides what is in a dataset."""


def code_digest(package: Path) -> str:
    """Return the sha256 of what `prepare` runs of the folder `package`, and of the data files beside it.

    Comments, docstrings, layout and modules that `prepare` does not import change nothing.
    """
    trees: dict[Path, ast.Module] = {}
    waiting = [package / "prepare" / "pipeline.py"]
    while waiting:
        path = waiting.pop()
        if path not in trees:
            trees[path] = ast.parse(path.read_bytes())
            waiting += [found for name in _imported(trees[path]) for found in _modules(package, name)]
    data = (path for name in _FOLDERS for path in (package / name).rglob("*.*"))
    digests = {path: sha256(path) for path in data if path.suffix not in {".py", ".pyc"} and path.is_file()}
    digests |= {path: ast.dump(_bare(tree)) for path, tree in trees.items()}
    parts = sorted((str(path.relative_to(package)), digest) for path, digest in digests.items())
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def _imported(tree: ast.Module) -> Iterator[str]:
    """Yield the names that may be modules."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _modules(package: Path, name: str) -> Iterator[Path]:
    """Yield the files of a dotted name, its packages' among them."""
    top, *words = name.split(".")
    if top != package.name or not words or words[0] not in _FOLDERS:
        return
    for count in range(1, len(words) + 1):
        place = package.joinpath(*words[:count])
        yield from (path for path in (place / "__init__.py", place.with_suffix(".py")) if path.is_file())


def _bare(tree: ast.Module) -> ast.Module:
    """Remove the docstrings, which are constants that nothing uses."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [one for one in node.body if not _is_unused(one)]
    return tree


def _is_unused(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)

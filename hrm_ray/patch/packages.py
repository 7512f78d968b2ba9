"""What a package name stands for in a working tree: told by its own files first, then by the standard library.

Nothing is asked of the net. Where the sources of a package can be read, it must declare what is selected of it; where
they cannot (a module that is not vendored), the repository's own use of the path is believed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from hrm_ray.golang.declarations import declarations
from hrm_ray.golang.references import package_name
from hrm_ray.golang.toolchain import Toolchain
from hrm_ray.patch.modules import Modules, Spec, folder
from hrm_ray.patch.tree import WorkingTree

_VERSION = re.compile(r"v\d+")
_ASSUMED = re.compile(r"(?:go-)?(\w+)")


class Packages:
    """The packages that the files of a tree can import."""

    def __init__(self, tree: WorkingTree, go: Toolchain | None) -> None:
        self._tree = tree
        self._go = go
        self._modules = Modules(tree)

    def package(self, path: str) -> str:
        """Return the package name of a file that is there, or is to be made."""
        return self._modules.package(path)

    def declared_beside(self, path: str) -> frozenset[str]:
        """Return what the other files of a file's package declare at top level."""
        beside = [self._modules.file(one) for one in self._modules.beside(path) if one != path]
        own = self.package(path)
        return frozenset(name for one in beside if one.package == own for name in one.declares)

    def name(self, spec: Spec) -> str:
        """Return the name by which an import is used in its file."""
        if spec.alias:
            return spec.alias
        assumed, others = assumed_name(spec.path), Counter[str]()
        for file in self._sources(spec.path):
            found = package_name(_read(file))
            if found == assumed:
                return found
            others[found] += found != "main"  # a program beside the package, which no build takes in
        return others.most_common(1)[0][0] if others.total() else assumed

    def find(self, name: str, selected: set[str], path: str) -> Spec | None:
        """Return the import by which the file at `path` gets the package `name` with all that is `selected` of it."""
        for spec in self._candidates(name, path):
            known = self._exported(spec.path)
            if known is None or selected <= known:
                return spec
        return None

    def _candidates(self, name: str, path: str) -> Iterator[Spec]:
        """What the repository imports by that name, then what it could import."""
        yield from (spec for spec in self._used(name, path) if self._allowed(spec.path, path))
        standard = self._go.standard if self._go else ()
        yield from (Spec(one) for one in sorted(standard, key=len) if assumed_name(one) == name)
        if name != "main":
            yield from (Spec(one) for one in self._own(name) if self._allowed(one, path))
        yield from (Spec(one) for one in self._modules.required if assumed_name(one) == name)

    def _used(self, name: str, path: str) -> list[Spec]:
        """The imports by that name: those of the file's folder first, then the most frequent."""
        counts: Counter[Spec] = Counter()
        for one in self._tree.sources:
            weight = len(self._tree.sources) if folder(one) == folder(path) else 1
            for spec in self._modules.file(one).specs:
                if (spec.alias or assumed_name(spec.path)) == name:
                    counts[spec] += weight
        return [spec for spec, _ in counts.most_common()]

    def _own(self, name: str) -> list[str]:
        """The packages of the tree that call themselves so."""
        modules = self._modules
        files = {path: [modules.file(one) for one in modules.folders[at]] for path, at in modules.places.items()}
        return sorted(path for path, found in files.items() if any(file.package == name for file in found))

    def _allowed(self, wanted: str, path: str) -> bool:
        """Whether the file at `path` may import a package: nothing internal to others, not its own, not in a circle."""
        own = self._modules.import_path(folder(path))
        before, internal, _ = f"/{wanted}/".partition("/internal/")
        if internal and not f"/{own}/".startswith(f"{before}/"):
            return False
        return self.package(path).endswith("_test") or own not in self._modules.reached(wanted)

    def _sources(self, path: str) -> list[Path]:
        """The files of a package without its tests; none where they cannot be read."""
        places = [self._tree.root / "vendor" / path]
        if path in self._modules.places:
            places.append(self._tree.root / self._modules.places[path])
        if self._go and path in self._go.standard:
            places.append(self._go.root / "src" / path)
        found = (sorted(place.glob("*.go")) for place in places)
        return next((kept for files in found if (kept := [f for f in files if not f.name.endswith("_test.go")])), [])

    def _exported(self, path: str) -> set[str] | None:
        """What a package declares, None where that cannot be known."""
        files = self._sources(path)
        return {name for file in files for one in declarations(_read(file)) for name in one.names} if files else None


def assumed_name(path: str) -> str:
    """Return the package name that an import path suggests: its last part without version and without `go-`."""
    parts = path.split("/")
    last = parts[-2] if len(parts) > 1 and _VERSION.fullmatch(parts[-1]) else parts[-1]
    found = _ASSUMED.match(last)
    return found[1] if found else last


def is_standard(path: str) -> bool:
    """Whether an import path looks like one of the standard library: its first part is no host."""
    return "." not in path.split("/")[0]


def _read(file: Path) -> str:
    return file.read_text("utf-8", errors="replace")

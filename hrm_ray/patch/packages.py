"""What a package name stands for in a working tree: told by its own files first, then by the standard library.

Nothing is asked of the net. Where the sources of a package can be read, it must declare what is selected of it; where
they cannot (a module that is not vendored), the repository's own use of the path is believed.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from hrm_ray.errors import UserError
from hrm_ray.golang.declarations import declarations
from hrm_ray.golang.references import imports, package_name
from hrm_ray.golang.syntax import parse_file
from hrm_ray.golang.toolchain import Toolchain
from hrm_ray.patch.tree import WorkingTree

_VERSION = re.compile(r"v\d+")
_ASSUMED = re.compile(r"(?:go-)?(\w+)")


class Spec(NamedTuple):
    """An import as it is written; `alias` is empty where it has none."""

    path: str
    alias: str = ""


@dataclass(frozen=True)
class _File:
    """What other files of the repository need to know of one."""

    package: str
    specs: tuple[Spec, ...]
    declares: frozenset[str]


class Packages:
    """The packages that the files of a tree can import; files are read when they are first asked about."""

    def __init__(self, tree: WorkingTree, go: Toolchain | None) -> None:
        self._tree = tree
        self._go = go
        self._files: dict[str, _File] = {}

    def declared_beside(self, path: str) -> frozenset[str]:
        """Return what the other files of a file's package declare at top level."""
        own = self._package(path)
        beside = [self._file(one) for one in self._beside(path) if one != path]
        return frozenset(name for one in beside if one.package == own for name in one.declares)

    def package_for(self, path: str) -> str:
        """Return the package clause's name for a new file: that of its neighbours, else one made of its folder's."""
        alike = [one for one in self._beside(path) if one.endswith("_test.go") == path.endswith("_test.go")]
        names = Counter(self._file(one).package for one in alike or self._beside(path))
        folder = PurePosixPath(_folder(path)).name or self._tree.root.name
        return names.most_common(1)[0][0] if names else re.sub(r"\W", "", folder).lower() or "main"

    def name(self, spec: Spec) -> str:
        """Return the name by which an import is used in its file."""
        if spec.alias:
            return spec.alias
        names = (package_name(parse_file(_read(file))) for file in self._sources(spec.path))
        return next(filter(None, names), assumed_name(spec.path))

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
        yield from (Spec(one) for one in self._required if assumed_name(one) == name)

    def _used(self, name: str, path: str) -> list[Spec]:
        """The imports by that name: those of the file's folder first, then the most frequent."""
        counts: Counter[Spec] = Counter()
        for one in self._tree.go_files:
            weight = len(self._tree.go_files) if _folder(one) == _folder(path) else 1
            for spec in self._file(one).specs:
                if (spec.alias or assumed_name(spec.path)) == name:
                    counts[spec] += weight
        return [spec for spec, _ in counts.most_common()]

    def _own(self, name: str) -> list[str]:
        """The packages of the tree that call themselves so."""
        ours = ((path, [self._file(one) for one in self._folders[at]]) for path, at in self._places.items())
        return sorted(path for path, files in ours if any(file.package == name for file in files))

    def _allowed(self, wanted: str, path: str) -> bool:
        """Whether the file at `path` may import a package: nothing internal to others, not its own, not in a circle."""
        own = self._import_path(_folder(path))
        before, internal, _ = f"/{wanted}/".partition("/internal/")
        if internal and not f"/{own}/".startswith(f"{before}/"):
            return False
        return self._package(path).endswith("_test") or own not in self._reached(wanted)

    def _reached(self, path: str) -> set[str]:
        """A package and all that it imports, itself or by others, as far as the tree tells."""
        seen, ahead = {path}, [path]
        while ahead:
            files = self._folders.get(self._places.get(ahead.pop(), ""), [])
            new = {spec.path for one in files if not one.endswith("_test.go") for spec in self._file(one).specs} - seen
            seen |= new
            ahead += new
        return seen

    def _package(self, path: str) -> str:
        return self._file(path).package if path in self._beside(path) else self.package_for(path)

    def _beside(self, path: str) -> list[str]:
        """The files of a file's folder."""
        return self._folders.get(_folder(path), [])

    @cached_property
    def _folders(self) -> dict[str, list[str]]:
        folders: defaultdict[str, list[str]] = defaultdict(list)
        for path in self._tree.go_files:
            folders[_folder(path)].append(path)
        return folders

    @cached_property
    def _modules(self) -> dict[str, str]:
        """Module path by folder."""
        found = {}
        for path in self._tree.files:
            if PurePosixPath(path).name == "go.mod":
                directives = _directives(self._tree.text(path))
                found[_folder(path)] = next((words[1] for words in directives if words[0] == "module"), "")
        return found

    @cached_property
    def _required(self) -> list[str]:
        """Module paths that the go.mod files require themselves."""
        texts = [self._tree.text(path) for path in self._tree.files if PurePosixPath(path).name == "go.mod"]
        return sorted({words[1] for text in texts for words in _directives(text) if words[0] == "require"})

    @cached_property
    def _places(self) -> dict[str, str]:
        """Folder of each package of the tree by import path."""
        return {path: folder for folder in self._folders if (path := self._import_path(folder))}

    def _import_path(self, folder: str) -> str:
        """How a folder is imported; empty where it is in no module."""
        place = PurePosixPath(folder)
        for above in (place, *place.parents):
            module = self._modules.get("" if str(above) == "." else str(above))
            if module:
                return str(PurePosixPath(module) / place.relative_to(above))
        return ""

    def _file(self, path: str) -> _File:
        if path not in self._files:
            source = self._tree.text(path)
            root = parse_file(source)
            specs = tuple(Spec(one.path, one.alias) for one in imports(root) if one.alias not in {"_", "."})
            names = frozenset(name for one in declarations(source) for name in one.names if "." not in name)
            self._files[path] = _File(package_name(root), specs, names)
        return self._files[path]

    def _sources(self, path: str) -> list[Path]:
        """The files of a package without its tests; none where they cannot be read."""
        places = [self._tree.root / "vendor" / path]
        if path in self._places:
            places.append(self._tree.root / self._places[path])
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


def _directives(text: str) -> Iterator[list[str]]:
    """The module and the direct requirements of a go.mod, as words, blocks taken apart (Go Modules Reference)."""
    block = ""
    for line in text.splitlines():
        words = line.partition("//")[0].replace('"', " ").split()
        if "// indirect" in line or not words:
            continue
        if words[-1] == "(":
            block = words[0]
        elif words == [")"]:
            block = ""
        elif len(words) + bool(block) > 1:
            yield [block, *words] if block else words


def _folder(path: str) -> str:
    return path.rpartition("/")[0]


def _read(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{file}: cannot be read ({error})") from error

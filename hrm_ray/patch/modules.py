"""The packages of a working tree: which files they have, how they are imported, and what they import themselves."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import PurePosixPath
from typing import NamedTuple

from hrm_ray.errors import UserError
from hrm_ray.golang.declarations import declarations
from hrm_ray.golang.references import imports, package_name
from hrm_ray.patch.tree import WorkingTree


class Spec(NamedTuple):
    """An import as it is written; `alias` is empty where it has none."""

    path: str
    alias: str = ""


@dataclass(frozen=True)
class File:
    """What others need to know of a file."""

    package: str
    """The name in its package clause."""
    specs: tuple[Spec, ...]
    declares: frozenset[str]
    """Names at top level, methods left out."""


class Modules:
    """Files are parsed when they are first asked about."""

    def __init__(self, tree: WorkingTree) -> None:
        self._tree = tree
        self._files: dict[str, File] = {}

    @cached_property
    def folders(self) -> dict[str, list[str]]:
        """Paths of the Go files of each folder."""
        folders: defaultdict[str, list[str]] = defaultdict(list)
        for path in self._tree.sources:
            folders[folder(path)].append(path)
        return dict(folders)

    @cached_property
    def places(self) -> dict[str, str]:
        """Folder of each package by import path."""
        return {path: each for each in self.folders if (path := self.import_path(each))}

    @cached_property
    def required(self) -> list[str]:
        """Paths of the modules that the go.mod files require themselves, not for others."""
        found = (words[1] for directives in self._directives.values() for words in directives if words[0] == "require")
        return sorted(set(found))

    def beside(self, path: str) -> list[str]:
        """Return the Go files of a file's folder."""
        return self.folders.get(folder(path), [])

    def file(self, path: str) -> File:
        """Return the facts of one of the files."""
        if path not in self._files:
            source = self._tree.sources[path]
            specs = tuple(Spec(one.path, one.alias) for one in imports(source))
            names = frozenset(name for one in declarations(source) for name in one.names if "." not in name)
            self._files[path] = File(package_name(source), specs, names)
        return self._files[path]

    def package(self, path: str) -> str:
        """Return a file's package name; of one that is new or empty its neighbours', or one made of its folder's."""
        beside = {one: name for one in self.beside(path) if (name := self.file(one).package)}
        if path in beside:
            return beside[path]
        alike = [one for one in beside if one.endswith("_test.go") == path.endswith("_test.go")]
        names = Counter(beside[one] for one in alike or beside)
        made = re.sub(r"\W", "", PurePosixPath(folder(path)).name or self._tree.root.name).lower()
        return names.most_common(1)[0][0] if names else made or "main"

    def import_path(self, place: str) -> str:
        """Return how a folder is imported; empty where it is in no module."""
        here = PurePosixPath(place)
        for above in (here, *here.parents):
            directives = self._directives.get("" if str(above) == "." else str(above), [])
            module = next((words[1] for words in directives if words[0] == "module"), "")
            if module:
                return str(PurePosixPath(module) / here.relative_to(above))
        return ""

    def reached(self, path: str) -> set[str]:
        """Return the import paths of a package and of all that it imports, itself or by others of the tree."""
        seen, ahead = {path}, [path]
        while ahead:
            place = self.places.get(ahead.pop())
            files = [] if place is None else self.folders[place]
            new = {spec.path for one in files if not one.endswith("_test.go") for spec in self.file(one).specs} - seen
            seen |= new
            ahead += new
        return seen

    @cached_property
    def _directives(self) -> dict[str, list[list[str]]]:
        """The go.mod files by folder, without those that cannot be read: test data holds such."""
        found: dict[str, list[list[str]]] = {}
        for path in self._tree.files:
            if PurePosixPath(path).name == "go.mod":
                with suppress(UserError):
                    found[folder(path)] = list(_directives(self._tree.text(path)))
        return found


def folder(path: str) -> str:
    """Return the folder of a path, empty for the root."""
    return path.rpartition("/")[0]


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

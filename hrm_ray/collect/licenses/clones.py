"""The licences of a clone's folders, at any commit."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache, partial

from hrm_ray.collect.git import Clone, Objects
from hrm_ray.collect.licenses import folders
from hrm_ray.collect.licenses.expressions import UNKNOWN, joined
from hrm_ray.collect.licenses.folders import NOTHING, TEXTS, Folder, is_statement

_FOLDER, _LINK, _FILES = b"40000", b"120000", (b"100644", b"100755", b"120000")

_Statements = tuple[tuple[str, bytes, str], ...]
"""Name, mode and object id of the files that state a licence."""


@dataclass(frozen=True)
class _Tree:
    """Object ids of the subfolders by name, and the files that state a licence."""

    subfolders: dict[str, str]
    statements: _Statements


class FolderLicenses:
    """The licences of the folders of a clone."""

    def __init__(self, clone: Clone, objects: Objects) -> None:
        self._head, self._objects = clone.head, objects
        self._entry = re.compile(rb"(\d+) ([^\0]+)\0(.{%d})" % (len(clone.head) // 2), re.DOTALL)
        self._tree = lru_cache(maxsize=2048)(self._read_tree)
        self._folder = lru_cache(maxsize=2048)(self._read_folder)
        self.root = self._at(clone.head, "").license or UNKNOWN
        """The licence of the newest tree's root; `NOASSERTION` if it has none."""

    def own(self, path: str, *commits: str) -> str:
        """The licence of a file's folder today and at these commits, where that is not the root's; else empty.

        A project that gives itself another licence gives it to its history too, so that of today's root holds for all.
        """
        return joined(*({self._of_folder(path, commit) for commit in (self._head, *commits)} - {self.root}))

    def _of_folder(self, path: str, commit: str) -> str:
        found = folders.nearest(path, partial(self._at, commit))
        return found if found != self._at(commit, "").license else ""

    def _at(self, commit: str, place: str) -> Folder:
        tree = self._tree(f"{commit}^{{tree}}")
        for name in filter(None, place.split("/")):
            if name not in tree.subfolders:
                return NOTHING
            tree = self._tree(tree.subfolders[name])
        texts = self._texts(tree.subfolders[TEXTS]) if not place and TEXTS in tree.subfolders else ()
        return self._folder(place, tree.statements + texts)

    def _read_tree(self, oid: str) -> _Tree:
        entries = self._entries(oid)
        subfolders = {name: at for name, mode, at in entries if mode == _FOLDER}
        return _Tree(subfolders, tuple(each for each in entries if each[1] in _FILES and is_statement(each[0])))

    def _texts(self, oid: str) -> _Statements:
        return tuple((f"{TEXTS}/{name}", mode, at) for name, mode, at in self._entries(oid) if mode in _FILES)

    def _entries(self, oid: str) -> _Statements:
        found = self._entry.findall(self._objects.read(oid) or b"")
        return tuple((name.decode("utf-8", "replace"), mode, at.hex()) for mode, name, at in found)

    def _read_folder(self, place: str, statements: _Statements) -> Folder:
        above = f"{place}/" if place else ""
        files = {f"{above}{name}": self._content(f"{above}{name}", mode, oid) for name, mode, oid in statements}
        return folders.by_place(files).get(place, NOTHING)

    def _content(self, path: str, mode: bytes, oid: str) -> bytes:
        """A file's content; of a link that of the file that it names today."""
        content = self._objects.read(oid) or b""
        if mode != _LINK:
            return content
        named = folders.target(path, content)
        return (named and self._objects.read(f"{self._head}:{named}")) or b""


def license_of(clone: Clone, objects: Objects) -> str:
    """The license of a clone's newest tree: of all files at its root that are one; `NOASSERTION` if one is unknown."""
    return FolderLicenses(clone, objects).root

"""The licences of a repository's folders on GitHub, by its newest tree: GitHub's own word is about the root alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel, model_validator

from hrm_ray.collect.github.changes import is_written
from hrm_ray.collect.github.contents import Contents
from hrm_ray.collect.github.lists import Lists
from hrm_ray.collect.github.rules import Missing, Unable
from hrm_ray.collect.licenses import folders
from hrm_ray.collect.licenses.expressions import joined
from hrm_ray.collect.licenses.folders import NOTHING

_NEWEST = "HEAD"
_LINK = "120000"
_LARGEST = 1_000_000
"""Bytes of a licence file."""


class Tree(BaseModel):
    """The modes of the files that state a licence in the newest tree of a repository, by path."""

    truncated: bool = False
    statements: dict[str, str] = {}

    @model_validator(mode="before")
    @classmethod
    def _of_entries(cls, given: Any) -> Any:  # noqa: ANN401 - a JSON tree
        """Leave out what lies above no Go file: nobody asks for the licences of what is not collected."""
        if not isinstance(given, dict) or not isinstance(given.get("tree"), list):
            return given
        files = {each["path"]: each["mode"] for each in given["tree"] if each["type"] == "blob"}
        above = {place for path in files if is_written(path) for place in folders.parents(path)}
        return given | {"statements": {path: mode for path, mode in files.items() if folders.place_of(path) in above}}


class FolderLicenses:
    """The licences of a repository's folders; `root` is empty where no file at the root states one."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._folders = folders.by_place(files)
        self.root = self._folders.get("", NOTHING).license

    def own(self, path: str) -> str:
        """The licence of a file where that is not the root's; else empty."""
        return joined(*({folders.nearest(path, lambda place: self._folders.get(place, NOTHING))} - {self.root}))


def read(lists: Lists, name: str) -> FolderLicenses:
    """Ask for the newest tree of a repository, and for the files in it that state licences.

    Raises:
        Failure: GitHub does not give them, or does not list the tree whole.
    """
    try:
        tree = lists.tree(name, Tree)
    except Missing:  # there is no commit
        return FolderLicenses({})
    if tree.truncated:
        raise Unable("GitHub does not list its newest tree whole, so that licences of folders are not known")
    contents = Contents(lists.client, name, _LARGEST)
    files = _read(contents, tree.statements)
    links = {path: folders.target(path, files[path]) for path, mode in tree.statements.items() if mode == _LINK}
    named = _read(contents, filter(None, links.values()))
    return FolderLicenses(files | {path: named.get(target, b"") for path, target in links.items()})


def _read(contents: Contents, paths: Iterable[str]) -> dict[str, bytes]:
    found = contents.read([(_NEWEST, path) for path in paths])
    for content in found.values():
        if isinstance(content, Unable):
            raise content
    return {path: content if isinstance(content, bytes) else b"" for (_, path), content in found.items()}

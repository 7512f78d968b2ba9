"""The licence of a folder: that of the licence files in it, and what its `REUSE.toml` says of single paths."""

from __future__ import annotations

import posixpath
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from hrm_ray.collect.licenses.expressions import UNKNOWN, all_of, spelled
from hrm_ray.collect.licenses.identify import identify
from hrm_ray.collect.licenses.words import vocabulary

REUSE = "REUSE.toml"
TEXTS = "LICENSES"
"""The folder at the root that holds the texts of a project that follows the REUSE specification."""

_PARTS_OF_NAME = re.compile(r"[-_. ]+|(?<=[a-z])(?=[A-Z])|(?<=[A-Za-z])(?=\d)")
_PART_OF_GLOB = re.compile(r"\\.|\*\*|\*|[^*\\]+", re.DOTALL)


@dataclass(frozen=True)
class Folder:
    """A folder's licence, empty if it has none of its own, and pairs of a pattern of paths below it and a licence."""

    license: str = ""
    paths: tuple[tuple[re.Pattern[str], str], ...] = ()


NOTHING = Folder()


def is_license(name: str) -> bool:
    """Whether a file of this name holds the licence of the code in its folder."""
    parts = [part.lower() for part in _PARTS_OF_NAME.split(name)]
    holds = {kind: not vocabulary(kind).isdisjoint(parts) for kind in ("license", "others")}
    return holds["license"] and not holds["others"] and name.lower().rpartition(".")[2] not in vocabulary("code")


def is_statement(name: str) -> bool:
    """Whether a file of this name says under which licence files are."""
    return name == REUSE or is_license(name)


def place_of(path: str) -> str | None:
    """The folder of whose files a file states the licence; None if it states none."""
    place, _, name = path.rpartition("/")
    return "" if place == TEXTS else place if is_statement(name) else None


def target(path: str, link: bytes) -> str:
    """The path that a link at `path` names; empty if none in its repository can be."""
    named = link.decode("utf-8", "replace")
    found = posixpath.normpath(posixpath.join(posixpath.dirname(path), named))
    return "" if "\n" in named or found.startswith(("/", "../")) else found


def by_place(files: Mapping[str, bytes]) -> dict[str, Folder]:
    """Read files that state licences, by path; the texts of REUSE count for a root that has no other."""
    grouped: dict[str, dict[str, bytes]] = {}
    for path, content in files.items():
        grouped.setdefault(place_of(path) or "", {})[path] = content
    if any(is_license(path) for path in grouped.get("", {})):
        grouped[""] = {path: content for path, content in grouped[""].items() if "/" not in path}
    return {place: folder({path.rpartition("/")[2]: files[path] for path in group}) for place, group in grouped.items()}


def folder(files: Mapping[str, bytes]) -> Folder:
    """Read the files of a folder that `is_statement` names, by name."""
    texts = {name: content.decode("utf-8", "replace") for name, content in files.items()}
    paths = _annotations(texts.pop(REUSE)) if REUSE in texts else ()
    return Folder(all_of(map(identify, texts.values())) if texts else "", paths)


def nearest(path: str, folder_at: Callable[[str], Folder]) -> str:
    """The licence of a file by the nearest folder that says one; empty if none does. The root has an empty name."""
    for place in parents(path):
        found = folder_at(place)
        said = [license_ for pattern, license_ in found.paths if pattern.fullmatch(path[len(place) :].lstrip("/"))]
        if said or found.license:
            return said[-1] if said else found.license
    return ""


def parents(path: str) -> Iterator[str]:
    """The folders above a file, the nearest first; the last is the root."""
    while path:
        path = path.rpartition("/")[0]
        yield path


@lru_cache(maxsize=64)
def _annotations(text: str) -> tuple[tuple[re.Pattern[str], str], ...]:
    try:
        return tuple(pair for each in tomllib.loads(text).get("annotations", []) for pair in _pairs(each))
    except (tomllib.TOMLDecodeError, KeyError, TypeError, AttributeError):
        return ((re.compile(".*", re.DOTALL), UNKNOWN),)


def _pairs(annotation: Mapping[str, Any]) -> Iterator[tuple[re.Pattern[str], str]]:
    stated = _listed(annotation.get("SPDX-License-Identifier", []))
    if stated:  # others state a holder alone
        for path in _listed(annotation["path"]):
            yield re.compile(_PART_OF_GLOB.sub(_as_pattern, path), re.DOTALL), all_of(map(spelled, stated))


def _listed(given: Any) -> list[str]:  # noqa: ANN401 - a TOML tree
    return [given] if isinstance(given, str) else list(given)


def _as_pattern(part: re.Match[str]) -> str:
    return {"**": ".*", "*": "[^/]*"}.get(part[0]) or re.escape(part[0].removeprefix("\\"))

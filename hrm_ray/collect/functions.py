"""The documented functions of a clone's newest tree: far more Go than its pull requests hold."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from hrm_ray.collect import filters, messages
from hrm_ray.collect.differences import RAW, Entry, entries
from hrm_ray.collect.filters import Dropped
from hrm_ray.collect.git import GO_FILES, Clone, Objects, utc
from hrm_ray.collect.licenses import FolderLicenses, own_license
from hrm_ray.config import Clean
from hrm_ray.files import PARTIAL, replacing
from hrm_ray.golang.declarations import Declaration, declarations, outline
from hrm_ray.golang.doc_sentences import says_nothing
from hrm_ray.golang.files import plain
from hrm_ray.golang.fragment import fragment
from hrm_ray.golang.syntax import parse_file_ok

_DEFAULT = Clean()

FEWEST_WORDS = 4
"""Shorter doc comments say no more than the name does."""

_MARKER = re.compile(r"^(?://[ \t]?|/\*+|[ \t]*\*(?:/|[ \t]|$))|\*/[ \t]*$", re.MULTILINE)
_DIRECTIVE = re.compile(r"^//(?:[a-z0-9]+:[a-z0-9]|nolint|export |line ).*$", re.MULTILINE)


@dataclass(frozen=True)
class Function:
    """One function or method and its doc comment."""

    repository: str
    license: str
    merged_at: str
    """Time of the newest commit, ISO 8601 in UTC."""
    path: str
    kind: str
    name: str
    doc: str
    """Without comment markers."""
    outline: str
    """Of the file without this function."""
    anchor: str
    """The declaration before it."""
    code: str
    """Without the doc comment."""


def newest_files(clone: Clone) -> list[Entry]:
    """The Go files of the newest tree that people wrote, tests left out."""
    empty = clone.run("hash-object", "-t", "tree", "--stdin").decode().strip()
    listed = clone.run("diff-tree", "-r", "-z", *RAW, empty, clone.head, "--", *GO_FILES)
    return [entry for entry in entries(listed) if entry.status == "added" and not entry.path.endswith("_test.go")]


def functions(
    clone: Clone,
    files: Iterable[Entry],
    drops: Counter[str],
    looked_at: Callable[[], None],
    settings: Clean = _DEFAULT,
) -> Iterator[Function]:
    """Yield the documented functions of `files`; `looked_at` is called after each file.

    `drops` counts by reason the files and functions that are left out; a file is, where its own licence is not allowed.
    """
    time = clone.run("show", "--no-patch", "--format=%ct", clone.head).decode()
    with Objects(clone) as objects:
        licenses, merged_at = FolderLicenses(clone, objects), utc(int(time))
        for file in files:
            try:
                source = _source(objects, file)
                own = own_license(licenses.own(file.path), licenses.root, settings, source)
                yield from _documented((clone.name, own or licenses.root, merged_at), file.path, source, drops)
            except Dropped as reason:
                drops[str(reason)] += 1
            looked_at()


def write(path: Path, found: Iterable[Function]) -> int:
    """Write JSON lines, whole or not at all, and return the count."""
    count = 0
    with replacing(path, PARTIAL) as building, building.open("w", encoding="utf-8") as file:
        for function in found:
            file.write(json.dumps(asdict(function), ensure_ascii=False) + "\n")
            count += 1
    return count


def _source(objects: Objects, file: Entry) -> str:
    if (content := objects.read(file.after)) is None:
        raise Dropped("file whose content is not in the clone")
    source = plain(filters.text(content))
    if not parse_file_ok(source):
        raise Dropped("file with a syntax error")
    return source


def _documented(place: tuple[str, str, str], path: str, source: str, drops: Counter[str]) -> Iterator[Function]:
    found = declarations(source)
    lines = outline(source).split("\n")
    header = lines[: len(lines) - len(found)]  # the package clause and the imports; a signature a line follows
    signatures = lines[len(header) :]
    for at, declaration in enumerate(found):
        if declaration.kind not in {"function", "method"}:
            continue
        try:
            doc, code = _split(declaration)
        except Dropped as reason:
            drops[str(reason)] += 1
            continue
        anchor = found[at - 1].text if at else ""
        around = "\n".join(header + signatures[:at] + signatures[at + 1 :])
        yield Function(*place, path, declaration.kind, declaration.name, doc, around, anchor, code)


def _split(declaration: Declaration) -> tuple[str, str]:
    """Doc comment, as plain text, and the code without it; Dropped where there is no such comment, or no body."""
    parsed = fragment(declaration.text, most=declaration.end)
    if not parsed.declarations:
        raise Dropped("function that is too hard to parse")
    node, whole = parsed.declarations[0], parsed.root.text or b""
    above = whole[parsed.root.named_children[0].end_byte : node.start_byte].decode()
    doc = messages.without_people(_MARKER.sub("", _DIRECTIVE.sub("", above)))
    if len(doc.split()) < FEWEST_WORDS:
        raise Dropped("function without a doc comment")
    if says_nothing(doc):
        raise Dropped("function whose doc comment is a label or a pointer alone")
    if node.child_by_field_name("body") is None:
        raise Dropped("function without a body")
    return doc, whole[node.start_byte :].decode().rstrip("\n")

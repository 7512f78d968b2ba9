"""The top-level declarations of a Go file, and the file's outline.

Go's parser says where they are and what they are called, and each is then parsed alone: one that tree-sitter cannot
read spoils no other.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

from tree_sitter import Node

from hrm_ray.golang.fragment import fragment
from hrm_ray.golang.layout import Layout, Part, layout
from hrm_ray.golang.lexemes import without_comments
from hrm_ray.golang.tree import SPECS, STRINGS, parse, walk

_WHOLE_COMMENT = re.compile(rb"//[^\n]*|/\*.*?\*/", re.DOTALL)
_COMMENT = re.compile(rb"/[/*]")
_COMMENT_OR_OPENING = re.compile(rb"/[/*]|[({]")

_SHORT = 16
"""Bytes up to which `one_line` shows what a hollow node holds."""

_HEADLINE = 400
"""Bytes of a text with hollow parts that `one_line` goes through, or some more: nested parts would take for ever."""


@dataclass(frozen=True)
class Declaration:
    """One top-level declaration; a group such as `const (...)` is one."""

    kind: str
    """function, method, type, const or var."""
    name: str
    """A method's is `Receiver.Name`; a group's is its first name."""
    text: str
    """With the comment directly above and the one behind on the same line."""
    start: int
    """Where `text` begins in the file's UTF-8 bytes."""
    end: int
    names: tuple[str, ...] = field(default=(), compare=False)
    """All names that it declares, of which a group has several; a method's is `Receiver.Name`."""
    _head: str = field(default="", repr=False, compare=False)
    """The text up to the body of a function; all of any other."""

    @cached_property
    def signature(self) -> str:
        """One line without bodies, comments and values."""
        found = fragment(self._head, most=self.end).declarations
        return _signature(found[0]) if found else f"{self.kind} {self.name}"  # it was too hard to parse


def declarations(source: str) -> list[Declaration]:
    """Every top-level declaration of a file, in order; a file that does not parse gives what could be read."""
    data, found = source.encode("utf-8", "surrogatepass"), layout(source)
    places = zip(found.parts, _places(data, found), strict=True)
    return [_declaration(part, data, start, end) for part, (start, end) in places]


def outline(source: str) -> str:
    """Package clause, imports and the signature of every declaration, one line each."""
    return "\n".join([*heading(source), *(found.signature for found in declarations(source))])


def heading(source: str) -> list[str]:
    """The package clause and the imports, where there are any, each as one line."""
    root = head(source)
    packages = [one_line(node) for node in root.named_children if node.type == "package_clause"]
    imports = [node for node in root.named_children if node.type == "import_declaration"]
    specs = [one_line(node) for found in imports for node, kind, _ in walk(found) if kind == "import_spec"]
    used = [f"import ({'; '.join(specs)})"] if specs else []
    return packages[:1] + used


@lru_cache(maxsize=4)
def head(source: str) -> Node:
    """Return the tree of what stands before a file's first declaration."""
    data, parts = source.encode("utf-8", "surrogatepass"), layout(source).parts
    return parse(data[: parts[0].start] if parts else data)


def _declaration(part: Part, data: bytes, start: int, end: int) -> Declaration:
    text, before = (data[start:to].decode("utf-8", "surrogatepass") for to in (end, part.body))
    names = part.names or ("_",)
    return Declaration(part.kind, names[0], text, start, end, names, before if part.body < part.end else text)


def _places(data: bytes, found: Layout) -> Iterator[tuple[int, int]]:
    """Where each part begins and ends with its comments.

    These are the comments that begin on the line where it ends, and before it those without a blank line between.
    """
    starts, ends, behind = list[int](), list[int](), found.head
    for start, end in [*((part.start, part.end) for part in found.parts), (len(data), len(data))]:
        comments = deque(one.span() for one in _WHOLE_COMMENT.finditer(data, behind, start))
        while behind and comments and data.count(b"\n", behind, comments[0][0]) == 0:
            _, behind = comments.popleft()
        while comments and data.count(b"\n", comments[-1][1], start) <= 1:
            start, _ = comments.pop()
        starts.append(start)
        ends.append(behind)
        behind = end
    return zip(starts[:-1], ends[1:], strict=True)


def _signature(node: Node) -> str:
    if (body := node.child_by_field_name("body")) is not None:
        return one_line(node, body.start_byte)
    if node.child_by_field_name("name") is not None:
        return one_line(node)
    keyword = node.type.removesuffix("_declaration")
    parts = [_spec_signature(child) for child, kind, _ in walk(node, STRINGS | SPECS) if kind in SPECS]
    return f"{keyword} {parts[0]}" if len(parts) == 1 else f"{keyword} ({'; '.join(parts)})"


def _spec_signature(node: Node) -> str:
    value, body = (node.child_by_field_name(field) for field in ("value", "type"))
    members = (child for child, kind, _ in walk(body or node) if kind == "{")
    stop = value or next(members, None)
    return one_line(node, stop.start_byte if stop else None).removesuffix("=").rstrip()


def one_line(node: Node, stop: int | None = None, hollow: frozenset[str] = frozenset()) -> str:
    """Text of a node up to byte `stop` on one line, without comments and without what long `hollow` types enclose.

    Where there are hollow types, the beginning of it alone: it is a headline.
    """
    data = (node.text or b"")[: stop and stop - node.start_byte]
    if hollow and _COMMENT_OR_OPENING.search(data):
        data = _bared(node, data, hollow)
    elif _COMMENT.search(data):
        data = without_comments(data)
    line = " ".join(data.decode("utf-8", "surrogatepass").split())
    return line.replace("( ", "(").replace(", )", ")")


def _bared(node: Node, data: bytes, hollow: frozenset[str]) -> bytes:
    """The beginning `data` of a node's text without comments and without what is in hollow parts."""
    base = node.start_byte
    end = base + len(data)
    kept, at, room = [], base, _HEADLINE
    for child, kind, _ in walk(node, STRINGS | hollow):
        if child.start_byte >= min(end, at + room):
            end = min(end, child.start_byte)
            break
        if kind == "comment":
            kept.append(data[at - base : child.start_byte - base] + b" ")
            at = child.end_byte
        elif kind in hollow and child.end_byte - child.start_byte > _SHORT:
            kept.append(data[at - base : child.start_byte + 1 - base])
            at = child.end_byte - 1
        else:
            continue
        room -= len(kept[-1])
    return b"".join([*kept, data[at - base : end - base]])

"""The top-level declarations of a Go file, and the file's outline."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from tree_sitter import Node

from hrm_ray.golang.syntax import DECLARATION_KINDS
from hrm_ray.golang.tree import STRINGS, parse_file, walk

_SPECS = frozenset({"type_spec", "type_alias", "const_spec", "var_spec"})

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
    _node: Node = field(repr=False, compare=False)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """All names that it declares, of which a group has several; a method's is `Receiver.Name`."""
        return tuple(text_of(found) for found in _spec_names(self._node)) or (self.name,)

    @cached_property
    def signature(self) -> str:
        """One line without bodies, comments and values."""
        return _signature(self._node)


def declarations(source: str) -> list[Declaration]:
    """Every top-level declaration of a file, in order; a file that does not parse gives what could be read."""
    data = source.encode("utf-8", "surrogatepass")
    nodes = [node for node in parse_file(source).children if node.is_named]
    return [
        _declaration(node, _start(nodes, at), _end(nodes, at), data)
        for at, node in enumerate(nodes)
        if node.type in DECLARATION_KINDS
    ]


def outline(source: str) -> str:
    """Package clause, imports and the signature of every declaration, one line each."""
    return "\n".join([*heading(source), *(found.signature for found in declarations(source))])


def heading(source: str) -> list[str]:
    """The package clause and the imports, where there are any, each as one line."""
    root = parse_file(source)
    packages = [one_line(node) for node in root.named_children if node.type == "package_clause"]
    imports = [node for node in root.named_children if node.type == "import_declaration"]
    specs = [one_line(node) for found in imports for node, kind, _ in walk(found) if kind == "import_spec"]
    used = [f"import ({'; '.join(specs)})"] if specs else []
    return packages[:1] + used


def _declaration(node: Node, start: int, end: int, data: bytes) -> Declaration:
    text = data[start:end].decode("utf-8", "surrogatepass")
    return Declaration(DECLARATION_KINDS[node.type], _name(node), text, start, end, node)


def _start(nodes: list[Node], at: int) -> int:
    """Start of the comments directly above or on the same line: no blank line between, not behind a declaration."""
    first = at
    while first > 0:
        above, here = nodes[first - 1], nodes[first]
        if above.type != "comment" or above.end_point.row + 1 < here.start_point.row or _is_trailing(nodes, first - 1):
            break
        first -= 1
    return nodes[first].start_byte


def _end(nodes: list[Node], at: int) -> int:
    last = at
    while last + 1 < len(nodes) and nodes[last + 1].type == "comment" and _is_trailing(nodes, last + 1):
        last += 1
    return nodes[last].end_byte


def _is_trailing(nodes: list[Node], at: int) -> bool:
    if at == 0 or nodes[at - 1].end_point.row != nodes[at].start_point.row:
        return False
    return nodes[at - 1].type != "comment" or _is_trailing(nodes, at - 1)


def _name(node: Node) -> str:
    if (name := node.child_by_field_name("name")) is None:
        return next((text_of(found) for found in _spec_names(node)), "_")
    receiver = node.child_by_field_name("receiver")
    if receiver is None:
        return text_of(name)
    owner = next((text_of(child) for child, kind, _ in walk(receiver) if kind == "type_identifier"), "_")
    return f"{owner}.{text_of(name)}"


def _spec_names(node: Node) -> Iterator[Node]:
    """Names that the specifications of a const, var or type declaration introduce."""
    for child in node.named_children:
        if child.type == "var_spec_list":
            yield from _spec_names(child)
        elif child.type in _SPECS:
            yield from (name for name in child.children_by_field_name("name") if name.is_named)  # a comma is one too


def _signature(node: Node) -> str:
    if (body := node.child_by_field_name("body")) is not None:
        return one_line(node, body.start_byte)
    if node.child_by_field_name("name") is not None:
        return one_line(node)
    keyword = node.type.removesuffix("_declaration")
    parts = [part for child in node.named_children for part in _spec_signatures(child)]
    return f"{keyword} {parts[0]}" if len(parts) == 1 else f"{keyword} ({'; '.join(parts)})"


def _spec_signatures(node: Node) -> list[str]:
    if node.type == "var_spec_list":
        return [part for child in node.named_children for part in _spec_signatures(child)]
    if node.type not in _SPECS:
        return []
    value = node.child_by_field_name("value")
    members = (child for child, kind, _ in walk(node) if kind == "{")
    stop = value or next(members, None)
    return [one_line(node, stop.start_byte if stop else None).removesuffix("=").rstrip()]


def one_line(node: Node, stop: int | None = None, hollow: frozenset[str] = frozenset()) -> str:
    """Text of a node up to byte `stop` on one line, without comments and without what long `hollow` types enclose.

    Where there are hollow types, the beginning of it alone: it is a headline.
    """
    data = (node.text or b"")[: stop and stop - node.start_byte]
    if (_COMMENT_OR_OPENING if hollow else _COMMENT).search(data):
        data = _bared(node, data, hollow)
    line = " ".join(data.decode("utf-8", "surrogatepass").split())
    return line.replace("( ", "(").replace(", )", ")")


def _bared(node: Node, data: bytes, hollow: frozenset[str]) -> bytes:
    """The beginning `data` of a node's text without comments and without what is in hollow parts."""
    base = node.start_byte
    end = base + len(data)
    kept, at, room = [], base, _HEADLINE if hollow else len(data)
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


def text_of(node: Node) -> str:
    """The node's own text."""
    return (node.text or b"").decode("utf-8", "surrogatepass")

"""Go sources as parsed trees: what a package declares, and edits by byte range.

All generated sources are ASCII, so that byte offsets of the tree are offsets of the text.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache

import tree_sitter_go
from tree_sitter import Language, Node, Parser, Query, QueryCursor

_LANGUAGE = Language(tree_sitter_go.language())


@lru_cache(maxsize=2048)
def parse(source: str) -> Node:
    """Root node of `source`."""
    return Parser(_LANGUAGE).parse(source.encode("ascii")).root_node


@lru_cache(maxsize=256)
def _query(kinds: tuple[str, ...]) -> Query:
    return Query(_LANGUAGE, "[" + " ".join(f"({kind})" for kind in kinds) + "] @node")


def find(node: Node, *kinds: str) -> list[Node]:
    """Nodes of these kinds at or below `node`, in source order."""
    found = QueryCursor(_query(kinds)).captures(node).get("node", [])
    return sorted(found, key=lambda each: (each.start_byte, -each.end_byte))


def text(node: Node | None) -> str:
    """Source text of `node`; empty for None."""
    return "" if node is None or node.text is None else node.text.decode("ascii")


def above(node: Node, *kinds: str) -> Node | None:
    """The nearest ancestor of one of these kinds."""
    parent = node.parent
    while parent is not None and parent.type not in kinds:
        parent = parent.parent
    return parent


def indentation(node: Node) -> str:
    """The tabs that lead the line on which `node` starts, found from its column in the enclosing blocks."""
    depth = 0
    parent = node.parent
    while parent is not None:
        depth += parent.type in {"block", "field_declaration_list", "literal_value"}
        depth += parent.type in {"expression_case", "default_case"}
        parent = parent.parent
    return "\t" * depth


@dataclass(frozen=True)
class Splice:
    """Replace the bytes `start:end` by `text`."""

    start: int
    end: int
    text: str


def replace(node: Node, new: str) -> Splice:
    """Put `new` in the place of `node`."""
    return Splice(node.start_byte, node.end_byte, new)


def insert(position: int, new: str) -> Splice:
    """Put `new` at `position`."""
    return Splice(position, position, new)


def splice(source: str, splices: Iterable[Splice]) -> str:
    """Apply splices, which must not overlap; those of one position keep their order."""
    parts, position = [], 0
    for each in sorted(splices, key=lambda item: (item.start, item.end)):
        assert each.start >= position, "splices overlap"
        parts += [source[position : each.start], each.text]
        position = each.end
    return "".join([*parts, source[position:]])


@dataclass(frozen=True)
class Variable:
    """A name with its Go type."""

    name: str
    type: str


@dataclass(frozen=True)
class Function:
    """A function or method of a file; `receiver.type` is the struct's name without the star."""

    path: str
    node: Node
    name: str
    receiver: Variable | None
    parameters: tuple[Variable, ...]
    results: tuple[str, ...]

    @property
    def label(self) -> str:
        """`Name`, or `Receiver.Name` of a method."""
        return f"{self.receiver.type}.{self.name}" if self.receiver else self.name

    @property
    def body(self) -> Node:
        """The block."""
        body = self.node.child_by_field_name("body")
        assert body is not None
        return body

    @property
    def start(self) -> int:
        """Where a statement put first goes: after the body's brace."""
        return self.body.start_byte + 1

    @property
    def fails(self) -> bool:
        """Whether the last result is an error."""
        return bool(self.results) and self.results[-1] == "error"

    @cached_property
    def identifiers(self) -> frozenset[str]:
        """Every name that its text mentions."""
        return frozenset(text(node) for node in find(self.node, "identifier", "field_identifier", "type_identifier"))


@dataclass(frozen=True)
class Struct:
    """A struct type; `node` is its field list, None before it has been written."""

    name: str
    fields: tuple[Variable, ...]
    path: str = ""
    node: Node | None = None


@lru_cache(maxsize=2048)
def functions(path: str, source: str) -> tuple[Function, ...]:
    """Functions and methods of a file, in order."""
    kinds = ("function_declaration", "method_declaration")
    return tuple(_function(path, node) for node in parse(source).named_children if node.type in kinds)


@lru_cache(maxsize=2048)
def structs(path: str, source: str) -> tuple[Struct, ...]:
    """Struct types of a file, in order."""
    found = []
    for node in find(parse(source), "type_spec"):
        kind = node.child_by_field_name("type")
        if kind is not None and kind.type == "struct_type":
            rows = kind.named_children[0]
            found.append(Struct(text(node.child_by_field_name("name")), _variables(rows), path, rows))
    return tuple(found)


@lru_cache(maxsize=2048)
def names(source: str) -> frozenset[str]:
    """Every identifier of a file."""
    kinds = ("identifier", "field_identifier", "type_identifier", "package_identifier")
    return frozenset(text(node) for node in find(parse(source), *kinds))


def _function(path: str, node: Node) -> Function:
    receiver = node.child_by_field_name("receiver")
    result = node.child_by_field_name("result")
    results: tuple[str, ...] = ()
    if result is not None:
        several = result.type == "parameter_list"
        results = tuple(each.type for each in _variables(result)) if several else (text(result),)
    owner = Variable(_variables(receiver)[0].name, _variables(receiver)[0].type.lstrip("*")) if receiver else None
    name = text(node.child_by_field_name("name"))
    return Function(path, node, name, owner, _variables(node.child_by_field_name("parameters")), results)


def _variables(rows: Node | None) -> tuple[Variable, ...]:
    found = []
    for row in rows.named_children if rows is not None else ():
        kind = text(row.child_by_field_name("type"))
        declared = [text(name) for name in row.children_by_field_name("name")] or [""]
        found += [Variable(name, kind) for name in declared if kind]
    return tuple(found)


@dataclass(frozen=True)
class Package:
    """The files of one Go package by path; everything else about it is read from their trees."""

    folder: str
    files: Mapping[str, str]

    def changed(self, files: Mapping[str, str]) -> Package:
        """The package with these files put in."""
        return Package(self.folder, {**self.files, **files})

    @cached_property
    def functions(self) -> tuple[Function, ...]:
        """Every function and method, tests included."""
        return tuple(each for path, source in self.files.items() for each in functions(path, source))

    @cached_property
    def code(self) -> tuple[Function, ...]:
        """Functions and methods outside tests."""
        return tuple(each for each in self.functions if not each.path.endswith("_test.go"))

    @cached_property
    def structs(self) -> tuple[Struct, ...]:
        """Every struct type outside tests."""
        paths = [path for path in self.files if not path.endswith("_test.go")]
        return tuple(each for path in paths for each in structs(path, self.files[path]))

    @cached_property
    def names(self) -> frozenset[str]:
        """Every identifier of every file."""
        return frozenset().union(*(names(source) for source in self.files.values()))

    @cached_property
    def constants(self) -> Mapping[str, str]:
        """Value expression of each constant, by name."""
        specs = [node for source in self.files.values() for node in find(parse(source), "const_spec")]
        return {text(spec.child_by_field_name("name")): text(spec.child_by_field_name("value")) for spec in specs}

    def struct(self, name: str) -> Struct | None:
        """The struct of that name (a pointer's star is ignored)."""
        return next((each for each in self.structs if each.name == name.lstrip("*")), None)

    def calls(self, name: str) -> list[tuple[str, Node]]:
        """(path, call expression) of every call of a function or method of that name."""
        found = []
        for path, source in self.files.items():
            if name in names(source):
                for call in find(parse(source), "call_expression"):
                    callee = call.child_by_field_name("function")
                    last = callee.child_by_field_name("field") or callee if callee else None
                    if text(last) == name:
                        found.append((path, call))
        return found

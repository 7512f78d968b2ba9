"""Which packages a Go file speaks of: what stands before a dot and is bound by nothing in the file.

A variable may have a package's name (`url := url.URL{}`), so names are followed through Go's scopes (Go specification,
"Declarations and scope"), in one walk however deep the tree is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from tree_sitter import Node

from hrm_ray.golang.declarations import Declaration, declarations, head
from hrm_ray.golang.fragment import Fragment, fragment
from hrm_ray.golang.tree import SPECS, text_of, walk

_CALLABLE = frozenset({"function_declaration", "method_declaration", "func_literal"})
_SCOPES = _CALLABLE | {
    "block",
    "if_statement",
    "for_statement",
    "expression_switch_statement",
    "type_switch_statement",
    "expression_case",
    "type_case",
    "default_case",
    "communication_case",
}
_DEFINING = frozenset({"short_var_declaration", "range_clause", "receive_statement"})
_SIGNATURE = ("receiver", "parameters", "result")
_QUALIFIED = {"selector_expression": ("operand", "field"), "qualified_type": ("package", "name")}
"""Node types with a dot, and what is before and behind it."""

_NAMES = frozenset({"identifier", "package_identifier"})


@dataclass(frozen=True)
class Import:
    """One import of a file; `alias` is empty where it has none, `_` and `.` are aliases."""

    path: str
    alias: str
    node: Node
    """The `import_spec`."""


def imports(source: str) -> list[Import]:
    """Return the imports of a file, in order; places are those of the file."""
    groups = (node for node in head(source).named_children if node.type == "import_declaration")
    return [_import(node) for group in groups for node, kind, _ in walk(group) if kind == "import_spec"]


def package_name(source: str) -> str:
    """Return the name in the package clause; empty where there is none."""
    clause = next((node for node in head(source).named_children if node.type == "package_clause"), None)
    return text_of(clause.named_children[-1]) if clause and clause.named_children else ""


def package_references(source: str) -> dict[str, set[str]]:
    """Return each name before a dot that nothing in the file binds there, with all that is selected of it.

    What an import binds counts as unbound; what another file of the package declares does too.
    """
    found: defaultdict[str, set[str]] = defaultdict(set)
    written = declarations(source)
    declared = {name for one in written for name in one.names}
    for one in written:
        for name, selected in _unbound(one):
            if name not in declared:
                found[name].add(selected)
    return dict(found)


def _unbound(declaration: Declaration) -> Iterator[tuple[str, str]]:
    """Each name before a dot that the declaration does not bind there, with what is selected of it."""
    parsed = fragment(declaration.text, most=declaration.end)
    bound: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
    used: list[tuple[str, int, str]] = []
    scopes = [(0, parsed.root.end_byte)]
    for node, kind, _ in parsed.walk():
        while len(scopes) > 1 and node.start_byte >= scopes[-1][1]:
            scopes.pop()
        for name, start, end in _bindings(parsed, node, kind, scopes[-1]):
            bound[name].append((start, end))
        if kind in _SCOPES:
            scopes.append((node.start_byte, node.end_byte))
        elif kind in _QUALIFIED:
            before, behind = (node.child_by_field_name(name) for name in _QUALIFIED[kind])
            if before is not None and behind is not None and before.type in _NAMES:
                used.append((text_of(before), before.start_byte, text_of(behind)))
    for name, at, selected in used:
        if not any(start <= at < end for start, end in bound[name]):
            yield name, selected


def _import(node: Node) -> Import:
    alias, path = node.child_by_field_name("name"), node.child_by_field_name("path")
    return Import(text_of(path)[1:-1] if path else "", text_of(alias) if alias else "", node)


def _bindings(parsed: Fragment, node: Node, kind: str, scope: tuple[int, int]) -> Iterator[tuple[str, int, int]]:
    """The names that a node binds, and from where to where; what a file declares is bound everywhere anyway."""
    if kind in _CALLABLE:
        body = node.child_by_field_name("body")
        if body is not None:
            yield from ((name, body.start_byte, body.end_byte) for name in _parameters(parsed, node))
    elif kind in SPECS:
        yield from ((text_of(name), node.end_byte, scope[1]) for name in node.children_by_field_name("name"))
    elif kind in _DEFINING and (left := node.child_by_field_name("left")) is not None:
        if any(child.type == ":=" for child in node.children):
            yield from ((text_of(name), node.end_byte, scope[1]) for name in left.named_children)
    elif kind == "type_switch_statement" and (alias := node.child_by_field_name("alias")) is not None:
        yield from ((text_of(name), alias.end_byte, node.end_byte) for name in alias.named_children)


def _parameters(parsed: Fragment, function: Node) -> Iterator[str]:
    lists = [function.child_by_field_name(part) for part in _SIGNATURE]
    for listed in (parsed.type_parameters(function), *lists):
        for parameter in listed.named_children if listed is not None else ():
            yield from map(text_of, parameter.children_by_field_name("name"))

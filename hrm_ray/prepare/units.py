"""A declaration as the parts that a plan speaks of: parameters, fields, statements, cases, entries, comments.

Each part owns the tokens that no smaller part owns, so that an `if` around old code is one new part.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property, partial

from tree_sitter import Node

from hrm_ray.golang.declarations import one_line
from hrm_ray.golang.fragment import Fragment, fragment
from hrm_ray.golang.tree import SPECS, is_leaf, text_of, walk

SIGNATURE, FLOW, STATEMENT, ENTRY, COMMENT = range(5)
"""Ranks of parts, the most informative first."""

_HOLLOW = frozenset({"argument_list", "literal_value", "block", "field_declaration_list"})

_PARTS: dict[str, tuple[int, str, str]] = {
    "field_declaration": (SIGNATURE, "field", ""),
    "method_elem": (SIGNATURE, "interface method", ""),
    "type_elem": (SIGNATURE, "type element", ""),
    "type_spec": (SIGNATURE, "named type", "{"),
    "type_alias": (SIGNATURE, "named type", "{"),
    "const_spec": (SIGNATURE, "constant", ""),
    "var_spec": (STATEMENT, "variable", ""),
    "if_statement": (FLOW, "", "block"),
    "else": (STATEMENT, "", ""),
    "for_statement": (FLOW, "", "block"),
    "expression_switch_statement": (FLOW, "", "{"),
    "type_switch_statement": (FLOW, "", "{"),
    "select_statement": (FLOW, "", "{"),
    "expression_case": (FLOW, "", ":"),
    "type_case": (FLOW, "", ":"),
    "communication_case": (FLOW, "", ":"),
    "default_case": (FLOW, "", ":"),
    "go_statement": (FLOW, "", ""),
    "defer_statement": (FLOW, "", ""),
    "expression_statement": (FLOW, "call", ""),
    "send_statement": (FLOW, "send", ""),
    "return_statement": (STATEMENT, "", ""),
    "short_var_declaration": (STATEMENT, "variable", ""),
    "assignment_statement": (STATEMENT, "assignment", ""),
    "inc_statement": (STATEMENT, "assignment", ""),
    "dec_statement": (STATEMENT, "assignment", ""),
    "break_statement": (STATEMENT, "", ""),
    "continue_statement": (STATEMENT, "", ""),
    "goto_statement": (STATEMENT, "", ""),
    "fallthrough_statement": (STATEMENT, "", ""),
    "labeled_statement": (STATEMENT, "label", ":"),
    "keyed_element": (ENTRY, "entry", ":"),
    "literal_element": (ENTRY, "entry", ""),
    "comment": (COMMENT, "", ""),
}
"""Node type: rank, noun, and the child type that ends its headline."""

ROLES = frozenset({"receiver", "type parameter", "parameter", "result"})
"""Types of the parts of a function's signature."""

NAMED = ROLES | {
    "field_declaration",
    "method_elem",
    "type_spec",
    "const_spec",
    "var_spec",
    "short_var_declaration",
    "assignment_statement",
    "keyed_element",
}
"""Types of the parts that begin with the name of what they define."""

_CALLS = frozenset({"call_expression", "type_conversion_expression"})
_FIELDS = (("parameters", "parameter"), ("result", "result"))
_HEADERS = frozenset({"for_clause", "expression_switch_statement", "type_switch_statement", "for_statement"})


@dataclass
class Unit:
    """One part: `label` names it in a plan, `tokens` and `types` are its own leaves, `calls` what it calls.

    All are worked out when they are asked for: of an addition only labels are, and most parts of a modification are as
    they were.
    """

    type: str
    rank: int
    describe: Callable[[], str]
    leaves: list[Node] = field(default_factory=list)
    called: list[Node] = field(default_factory=list)

    @cached_property
    def label(self) -> str:
        """What a plan calls it."""
        return self.describe()

    @cached_property
    def tokens(self) -> list[str]:
        """Its leaves as written."""
        return [text_of(leaf) for leaf in self.leaves]

    @property
    def types(self) -> list[str]:
        """The node types of its leaves."""
        return [leaf.type for leaf in self.leaves]

    @cached_property
    def calls(self) -> list[str]:
        """The functions that it calls, as written, in order."""
        return [one_line(function, hollow=_HOLLOW) for function in self.called]


def units(text: str) -> list[list[Unit]]:
    """The parts of each declaration of `text`, in source order; a comment outside them belongs to the next."""
    groups: list[list[Unit]] = []
    pending: list[Unit] = []
    parsed = fragment(text)
    for node in parsed.root.named_children[1:]:
        found = _units(parsed, node)
        if node.type != "comment":
            groups.append(pending + found)
            pending = []
        elif groups and not pending:
            groups[-1].extend(found)
        else:
            pending += found
    return groups


def declared_names(text: str) -> set[str]:
    """Names that `text` introduces: declarations, parameters, fields, variables."""
    found: set[str] = set()
    for node, kind, _ in fragment(text).walk():
        found.update(text_of(name) for name in node.children_by_field_name("name"))
        left = node.child_by_field_name("left") if kind in {"short_var_declaration", "range_clause"} else None
        if left is not None:
            found.update(text_of(name) for name in left.named_children)
    return found


def _units(parsed: Fragment, top: Node) -> list[Unit]:
    roles = {node.id: role for role, node in _role_nodes(parsed, top)}
    found = [Unit("declaration", SIGNATURE, partial(_signature, top))] if top.type != "comment" else []
    open_units = [(found[0], top.end_byte)] if found else []
    is_function = top.child_by_field_name("name") is not None
    for node, kind, parent in parsed.walk(top):
        start = node.start_byte
        while len(open_units) > 1 and start >= open_units[-1][1]:
            open_units.pop()
        role = roles.pop(node.id, None) if roles else None
        if (role or kind in _PARTS) and (unit := _unit(node, kind, parent, role)) is not None:
            if is_function and unit.rank == SIGNATURE and unit.type not in ROLES:
                unit.rank = STATEMENT  # a type or constant inside a function
            found.append(unit)
            open_units.append((unit, node.end_byte))
        owner = open_units[-1][0]
        if kind in _CALLS and (function := _function(node)) is not None:
            owner.called.append(function)
        elif is_leaf(node, kind):
            owner.leaves.append(node)
    return found


def _unit(node: Node, kind: str, parent: str, role: str | None) -> Unit | None:
    if role:
        return Unit(role, SIGNATURE, lambda: f"{role} {one_line(node)}")
    if _is_header(kind, parent) or (kind == "type_elem" and parent != "interface_type"):
        return None
    rank, noun, stop = _PARTS[kind]
    return Unit(kind, rank, partial(_label, node, noun, stop))


def _is_header(kind: str, parent: str) -> bool:
    """Whether the node is only the head of a bigger part, such as the `err := f()` of an `if`."""
    if kind.endswith("_case") or kind == "comment":
        return False
    return (
        (kind == "literal_element" and parent != "literal_value")
        or parent in _HEADERS
        or (parent == "if_statement" and kind not in {"if_statement", "else"})
    )


def _label(node: Node, noun: str, stop: str) -> str:
    if node.type == "comment":
        return "comment"
    what = next((child for child in node.named_children if child.type != "comment"), node)
    if node.type == "expression_statement" and (function := _function(what)) is not None:
        return f"call {one_line(function, hollow=_HOLLOW)}"
    body = node.child_by_field_name("type") if node.type in SPECS else None  # type parameters have braces too
    ends = (child.start_byte for child, kind, _ in walk(body or node) if kind == stop)
    text = one_line(node, next(ends, None) if stop else None, _HOLLOW)
    return f"{noun} {text}".strip()


def _function(node: Node) -> Node | None:
    """What is called, without type arguments; with them and one argument, a call looks like a conversion."""
    if node.type == "call_expression":
        return node.child_by_field_name("function")
    converted = node.child_by_field_name("type") if node.type in _CALLS else None
    return converted.child_by_field_name("type") if converted is not None and converted.type == "generic_type" else None


def _signature(top: Node) -> str:
    """`signature` and what follows a function's name up to its body; the keyword of any other declaration."""
    name, body = top.child_by_field_name("name"), top.child_by_field_name("body")
    if name is None:
        return "group"
    whole = one_line(top, body.start_byte if body is not None else None)
    return f"signature {whole.removeprefix(one_line(top, name.end_byte)).strip()}"


def _role_nodes(parsed: Fragment, top: Node) -> Iterator[tuple[str, Node]]:
    """The parts of a function's signature, with the nouns for them."""
    if (receiver := top.child_by_field_name("receiver")) is not None:
        yield "receiver", receiver
    others = ((top.child_by_field_name(field), role) for field, role in _FIELDS)
    for node, role in ((parsed.type_parameters(top), "type parameter"), *others):
        if node is None:
            continue
        if node.type in {"parameter_list", "type_parameter_list"}:
            yield from ((role, child) for child in node.named_children if child.type != "comment")
        else:
            yield role, node

"""Rules of Go that its tree-sitter grammar leaves out, each about one node and the bytes beside it.

None asks for a node's parent, which tree-sitter looks for from the root: a hundred thousand nodes would take minutes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import tree_sitter_go
from tree_sitter import Language, Node, Query, QueryCursor

from hrm_ray.golang.diagnostic import Diagnostic, DiagnosticKind

LANGUAGE = Language(tree_sitter_go.language())

_OPERATOR = re.compile(rb"<<=|>>=|&\^=|&&|\|\||<-|\+\+|--|[-+*/%&|^=!<>]=|<<|>>|&\^|.", re.DOTALL)
"""What Go's lexer takes for one token; tree-sitter reads `a++b` as `a + +b`."""

_HEX = rb"[\dA-Fa-f]"
_CHARACTER = rb"[abfnrtv\\]|[0-3][0-7]{2}|x%b{2}|u(?![dD][89A-Fa-f])%b{4}|U(?:0010|000(?!0[dD][89A-Fa-f])%b)%b{4}" % (
    (_HEX,) * 4
)
"""What may stand behind a backslash (Go specification, "Rune literals"); halves of surrogate pairs may not."""

_ESCAPE = re.compile(rb'\\(?:"|%b)' % _CHARACTER)
_RUNE = re.compile(rb"'(?:[^\\]+|\\(?:'|%b))'" % _CHARACTER)


def refused(root: Node, data: bytes) -> Iterator[tuple[int, Diagnostic]]:
    """Yield where a tree of `data` breaks a rule, by byte, in order."""
    captured = QueryCursor(_RULED).captures(root)
    allowed = {node.id for node in captured.get("allowed", [])}
    for node in sorted(captured.get("node", []), key=lambda node: node.start_byte):
        if node.id not in allowed and (found := _RULES[node.type](node, data)) is not None:
            yield node.start_byte, found


def _call_only(node: Node, _: bytes) -> Diagnostic | None:
    what = next((child for child in node.named_children if child.type != "comment"), node)
    if what.type in {"call_expression", "type_conversion_expression"}:
        return None
    return Diagnostic.of(DiagnosticKind.NOT_A_CALL, what, "go and defer take a call")


def _names_only(node: Node, _: bytes) -> Diagnostic | None:
    left = node.child_by_field_name("left")
    if left is None or not any(child.type == ":=" for child in node.children):
        return None
    strays = (child for child in left.named_children if child.type not in {"identifier", "comment"})
    if (stray := next(strays, None)) is not None:
        return Diagnostic.of(DiagnosticKind.NOT_A_NAME, stray, ":= declares names only")
    return None


def _parameters(node: Node, data: bytes) -> Diagnostic | None:
    items = [child for child in node.named_children if child.type != "comment"]
    named = [item.child_by_field_name("name") is not None for item in items]
    if any(named) and not all(named):
        return Diagnostic.of(DiagnosticKind.PARAMETERS, items[named.index(False)], "named and unnamed parameters mixed")
    variadic = [item for item in items[:-1] if item.type == "variadic_parameter_declaration"]
    if variadic:
        return Diagnostic.of(DiagnosticKind.PARAMETERS, variadic[0], "only the last parameter can be variadic")
    return _no_leading_comma(node, data)


def _one_receiver(node: Node, _: bytes) -> Diagnostic | None:
    receiver = node.child_by_field_name("receiver")
    if receiver is None or sum(child.type != "comment" for child in receiver.named_children) == 1:
        return None
    return Diagnostic.of(DiagnosticKind.PARAMETERS, receiver, "a method has one receiver")


def _whole_operator(node: Node, data: bytes) -> Diagnostic | None:
    operator = node.child_by_field_name("operator")
    if operator is None:
        return None
    token = _OPERATOR.match(data, operator.start_byte)
    if token is None or token.end() == operator.end_byte:
        return None
    return Diagnostic.of(DiagnosticKind.SYNTAX_ERROR, operator, f"{token[0].decode()} cannot stand here")


def _known_escape(node: Node, data: bytes) -> Diagnostic | None:
    form = _RUNE if node.type == "rune_literal" else _ESCAPE
    if form.fullmatch(data, node.start_byte, node.end_byte):
        return None
    return Diagnostic.of(DiagnosticKind.SYNTAX_ERROR, node, "an unknown escape")


def _no_leading_comma(node: Node, _: bytes) -> Diagnostic | None:
    first = node.child(1)
    if first is None or first.type != ",":
        return None
    return Diagnostic.of(DiagnosticKind.SYNTAX_ERROR, first, "nothing stands before this comma")


def _own_statement(node: Node, data: bytes) -> Diagnostic | None:
    at = node.start_byte
    while data[at - 1 : at] in {b" ", b"\t", b"\r"}:
        at -= 1
    if data[at - 1 : at] in {b"{", b":", b";", b"\n", b"/"}:
        return None
    return Diagnostic.of(DiagnosticKind.SYNTAX_ERROR, node, "a case begins a line")


def _constraint_only(node: Node, _: bytes) -> Diagnostic | None:
    return Diagnostic.of(DiagnosticKind.SYNTAX_ERROR, node, "~ belongs to constraints")


_RULES: dict[str, Callable[[Node, bytes], Diagnostic | None]] = {
    "go_statement": _call_only,
    "defer_statement": _call_only,
    "short_var_declaration": _names_only,
    "range_clause": _names_only,
    "receive_statement": _names_only,
    "parameter_list": _parameters,
    "method_declaration": _one_receiver,
    "unary_expression": _whole_operator,
    "binary_expression": _whole_operator,
    "escape_sequence": _known_escape,
    "rune_literal": _known_escape,
    "argument_list": _no_leading_comma,
    "literal_value": _no_leading_comma,
    "expression_case": _own_statement,
    "type_case": _own_statement,
    "communication_case": _own_statement,
    "default_case": _own_statement,
    "negated_type": _constraint_only,
}

_RULED = Query(
    LANGUAGE,
    f"[{' '.join(f'({kind})' for kind in _RULES)}] @node"
    "(type_elem (negated_type) @allowed) (type_constraint (negated_type) @allowed)",
)

"""Rules of Go that its tree-sitter grammar leaves out, each about one node and the bytes beside it.

None asks for a node's parent, which tree-sitter looks for from the root, or has the query look below a node that can
stand in its like: either would take quadratic time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from tree_sitter import Node, Query, QueryCursor

from hrm_ray.golang.diagnostic import Diagnostic, DiagnosticKind
from hrm_ray.golang.tree import LANGUAGE, STRINGS

_OPERATOR = re.compile(rb"/[/*]|<<=|>>=|&\^=|&&|\|\||<-|\+\+|--|[-+*/%&|^=!<>]=|<<|>>|&\^|.", re.DOTALL)
"""What Go's lexer takes for one token; tree-sitter reads `a++b` as `a + +b`, and `a /*b` as `a / *b`."""

Rule = Callable[[Node, bytes], Diagnostic | None]
"""Says what is wrong with a node of a tree of these bytes."""

_HEX = rb"[\dA-Fa-f]"
_CHARACTER = rb"[abfnrtv\\]|[0-3][0-7]{2}|x%b{2}|u(?![dD][89A-Fa-f])%b{4}|U(?:0010|000(?!0[dD][89A-Fa-f])%b)%b{4}" % (
    (_HEX,) * 4
)
"""What may stand behind a backslash (Go specification, "Rune literals"); halves of surrogate pairs may not."""

_ESCAPE = re.compile(rb'\\(?:"|%b)' % _CHARACTER)
_RUNE = re.compile(rb"'(?:[^\\\n]+|\\(?:'|%b))'" % _CHARACTER)

_BLANK = rb"\s|//[^\n]*|/\*.*?\*/"
"""Repeat it without a way back (`*+`): comments tried as parts of longer ones would take exponential time."""

_END_OF_ARGUMENTS = re.compile(rb"(?:,|%b)*+\)" % _BLANK, re.DOTALL)
_CASE = re.compile(rb"(?:%b)*+(?:case|default)\b" % _BLANK, re.DOTALL)
_NAMES = frozenset({"identifier", "nil", "true", "false", "iota", "comment"})
"""What may stand to the left of `:=`; Go has no keyword among its predeclared names."""

_ENCLOSED = STRINGS | {
    *("parenthesized_expression", "argument_list", "type_conversion_expression", "func_literal", "literal_value"),
}
"""In these a brace cannot be taken for a block's."""

_INDEXED = frozenset({"index_expression", "slice_expression"})
"""In these neither, behind their operand."""

_AMBIGUOUS = frozenset({"type_identifier", "qualified_type", "generic_type"})
"""Behind these types it can."""


def refused(root: Node, data: bytes) -> Iterator[tuple[int, Diagnostic]]:
    """Yield where a tree of `data` breaks a rule, by byte, in order."""
    captured = QueryCursor(_RULED).captures(root)
    allowed = {node.id for node in captured.get("allowed", [])}
    found = [(node, _RULES[node.type]) for node in captured.get("node", []) if node.id not in allowed]
    if not data.isascii():
        found += [(node, _letters) for node in QueryCursor(_NAMED).captures(root).get("name", [])]
    for node, rule in sorted(found, key=lambda pair: pair[0].start_byte):
        if (wrong := rule(node, data)) is not None:
            yield node.start_byte, wrong


def _call_only(node: Node, _: bytes) -> Diagnostic | None:
    what = next((child for child in node.named_children if child.type != "comment"), node)
    if what.type in {"call_expression", "type_conversion_expression"}:
        return None
    return Diagnostic.of(DiagnosticKind.NOT_A_CALL, what, "go and defer take a call")


def _names_only(node: Node, _: bytes) -> Diagnostic | None:
    left = node.child_by_field_name("left")
    if left is None:
        return None
    if node.type != "short_var_declaration" and sum(child.type == "," for child in left.children) > 1:
        return Diagnostic.of(DiagnosticKind.SYNTAX_ERROR, left, "at most two variables")
    if not any(child.type == ":=" for child in node.children):
        return None
    strays = (child for child in left.named_children if child.type not in _NAMES)
    if (stray := next(strays, None)) is not None:
        return Diagnostic.of(DiagnosticKind.NOT_A_NAME, stray, ":= declares names only")
    return None


def _parameters(node: Node, data: bytes) -> Diagnostic | None:
    items = [child for child in node.named_children if child.type != "comment"]
    if (mixed := _mixed(items)) is not None:
        return Diagnostic.of(DiagnosticKind.PARAMETERS, mixed, "named and unnamed parameters mixed")
    variadic = [item for item in items if item.type == "variadic_parameter_declaration"]
    if variadic and (variadic[0].id != items[-1].id or _before(node, data) == b")"):
        return Diagnostic.of(DiagnosticKind.PARAMETERS, variadic[0], "only the last parameter can be variadic")
    return _no_leading_comma(node, data)


def _mixed(items: Sequence[Node]) -> Node | None:
    """Return a type without a name in a list that has names.

    tree-sitter reads ten names of one type as some types and a shorter list of names, so a lone name behind which
    stands a parameter with name and type is one of its names.
    """
    named = {item.id for item in items if item.child_by_field_name("name") is not None}
    follower = ""
    for item in reversed(items if named else ()):
        kind = item.child_by_field_name("type")
        if item.id in named:
            follower = item.type
        elif not (kind and kind.type == "type_identifier" and item.type == follower == "parameter_declaration"):
            return item
    return None


def _one_receiver(node: Node, _: bytes) -> Diagnostic | None:
    receiver = node.child_by_field_name("receiver")
    if receiver is None:
        return None
    items = [child for child in receiver.named_children if child.type != "comment"]
    if [item.type for item in items] == ["parameter_declaration"] and len(items[0].children_by_field_name("name")) < 2:
        return None
    return Diagnostic.of(DiagnosticKind.PARAMETERS, receiver, "a method has one receiver")


def _constraint_only(node: Node, _: bytes) -> Diagnostic | None:
    return Diagnostic.of(DiagnosticKind.SYNTAX_ERROR, node, "~ belongs to constraints")


def _types_only(node: Node, _: bytes) -> Diagnostic | None:
    """Check the arguments of a generic type; what stands in brackets before a call may be an index."""
    arguments = node.child_by_field_name("type_arguments")
    for argument in arguments.named_children if arguments is not None else ():
        if any(child.type in {"|", "negated_type"} for child in argument.children):
            return Diagnostic.of(DiagnosticKind.SYNTAX_ERROR, argument, "a constraint is no type argument")
    return None


def _one_operand(node: Node, _: bytes) -> Diagnostic | None:
    left, operator = node.child_by_field_name("left"), node.child_by_field_name("operator")
    if left is None or operator is None or operator.type == "=" or not _has_comma(left):
        return None
    return Diagnostic.of(DiagnosticKind.SYNTAX_ERROR, operator, f"{operator.type} assigns to one operand")


def _has_comma(node: Node) -> bool:
    return any(child.type == "," for child in node.children)


def _valued(node: Node, _: bytes) -> Diagnostic | None:
    """Check constants: only those behind the first of a group may leave out their value, and then their type too."""
    specs = [child for child in node.named_children if child.type == "const_spec"]
    for at, spec in enumerate(specs):
        if spec.child_by_field_name("value") is None and (at == 0 or spec.child_by_field_name("type") is not None):
            return Diagnostic.of(DiagnosticKind.SYNTAX_ERROR, spec, "a constant without a value")
    return None


def _no_bare_literal(node: Node, data: bytes) -> Diagnostic | None:
    """Check the head of a statement: `T{` outside of brackets begins the block there."""
    block = next((child.start_byte for child in node.children if child.type in {"block", "{"}), node.end_byte)
    if data.find(b"{", node.start_byte, block) < 0:
        return None
    ahead = [child for child in reversed(node.children) if child.end_byte <= block]
    while ahead:
        part = ahead.pop()
        named = part.child_by_field_name("type") if part.type == "composite_literal" else None
        if named is not None and named.type in _AMBIGUOUS:
            return Diagnostic.of(DiagnosticKind.SYNTAX_ERROR, part, "a composite literal needs parentheses here")
        if part.type not in _ENCLOSED:
            ahead += part.children[:1] if part.type in _INDEXED else reversed(part.children)
    return None


def _expression_switch(node: Node, data: bytes) -> Diagnostic | None:
    """Check a switch: a line that ends before its brace ends an initializer, and there is one at most."""
    tag = node.child_by_field_name("value")
    if tag is not None and node.child_by_field_name("initializer") is not None:
        place = data.find(b"\n", tag.end_byte, data.find(b"{", tag.end_byte))
        if place >= 0:
            return Diagnostic.at(DiagnosticKind.LINE_END, data, place, "a line cannot end here")
    return _no_bare_literal(node, data)


def _type_switch(node: Node, data: bytes) -> Diagnostic | None:
    alias = node.child_by_field_name("alias")
    if alias is not None and _has_comma(alias):
        return Diagnostic.of(DiagnosticKind.SYNTAX_ERROR, alias, "a type switch declares one name")
    return _no_bare_literal(node, data)


def _post_statement(node: Node, _: bytes) -> Diagnostic | None:
    update = node.child_by_field_name("update")
    if update is None or update.type != "short_var_declaration":
        return None
    return Diagnostic.of(DiagnosticKind.SYNTAX_ERROR, update, "the last statement of a loop's head declares nothing")


def _last_argument(node: Node, data: bytes) -> Diagnostic | None:
    if _END_OF_ARGUMENTS.match(data, node.end_byte):
        return None
    return Diagnostic.of(DiagnosticKind.SYNTAX_ERROR, node, "only the last argument can have ...")


def _whole_number(node: Node, data: bytes) -> Diagnostic | None:
    if data[node.end_byte : node.end_byte + 1] != b".":
        return None
    return Diagnostic.of(DiagnosticKind.SYNTAX_ERROR, node, "a number that goes on behind its point")


def _letters(node: Node, _: bytes) -> Diagnostic | None:
    """Check a name: tree-sitter takes what Unicode allows in identifiers, Go letters and decimal digits alone."""
    name = (node.text or b"").decode()
    if all(char.isalpha() or char.isdecimal() or char == "_" for char in name):
        return None
    return Diagnostic.of(DiagnosticKind.SYNTAX_ERROR, node, f"{name!r} is not a name")


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
    if _before(node, data) in {b"{", b":", b";", b"\n", b"/"}:
        return None
    return Diagnostic.of(DiagnosticKind.SYNTAX_ERROR, node, "a case begins a line")


def _labelled(node: Node, data: bytes) -> Diagnostic | None:
    """Check a label: where nothing follows it, that is the end of a block."""
    if data[node.end_byte - 1 : node.end_byte] != b":" or not _CASE.match(data, node.end_byte):
        return None
    return Diagnostic.of(DiagnosticKind.SYNTAX_ERROR, node, "a label without a statement")


def _before(node: Node, data: bytes) -> bytes:
    """Return the byte before a node and the blanks there."""
    at = node.start_byte
    while data[at - 1 : at] in {b" ", b"\t", b"\r"}:
        at -= 1
    return data[at - 1 : at]


_RULES: dict[str, Rule] = {
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
    "literal_value": _no_leading_comma,
    "expression_case": _own_statement,
    "type_case": _own_statement,
    "communication_case": _own_statement,
    "default_case": _own_statement,
    "labeled_statement": _labelled,
    "negated_type": _constraint_only,
    "generic_type": _types_only,
    "assignment_statement": _one_operand,
    "const_declaration": _valued,
    "if_statement": _no_bare_literal,
    "for_statement": _no_bare_literal,
    "expression_switch_statement": _expression_switch,
    "type_switch_statement": _type_switch,
    "for_clause": _post_statement,
    "variadic_argument": _last_argument,
    "int_literal": _whole_number,
}

_RULED = Query(
    LANGUAGE,
    f"[{' '.join(f'({kind})' for kind in _RULES)}] @node"
    "(type_elem (negated_type) @allowed) (type_constraint (negated_type) @allowed)",
)
_NAMED = Query(LANGUAGE, "[(identifier) (type_identifier) (field_identifier) (package_identifier) (label_name)] @name")

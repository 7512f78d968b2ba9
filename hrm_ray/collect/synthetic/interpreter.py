"""Runs pure Go functions of integers, strings and booleans on their trees, so that generated tests expect the truth."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from typing import cast

from tree_sitter import Node

from hrm_ray.collect.synthetic.tree import Function, text

Scalar = int | str | bool
_Names = dict[str, Scalar]


class ImpureError(Exception):
    """The function does something that is not interpreted here; the message is that piece of Go."""


def call(function: Function, constants: Mapping[str, Scalar], arguments: Iterable[Scalar]) -> Scalar:
    """What the function returns; ImpureError where it leaves the interpreted part of Go."""
    names = dict(constants)
    names.update({row.name: value for row, value in zip(function.parameters, arguments, strict=True)})
    result = _run(_statements(function.body), names)
    if result is None:
        raise ImpureError(function.label)
    return result


def constant(source: str) -> Scalar | None:
    """The value of an integer or string literal; None for any other expression."""
    if source.isdigit():
        return int(source)
    return source[1:-1] if source.startswith('"') else None


def _statements(block: Node) -> list[Node]:
    found = []
    for node in block.named_children:
        found += node.named_children if node.type == "statement_list" else [node]
    return [node for node in found if node.type != "comment"]


def _run(statements: list[Node], names: _Names) -> Scalar | None:
    for statement in statements:
        result = _statement(statement, names)
        if result is not None:
            return result
    return None


def _statement(node: Node, names: _Names) -> Scalar | None:
    if node.type == "return_statement":
        return _evaluate(node.named_children[0], names)
    if node.type == "if_statement":
        return _if(node, names)
    if node.type == "expression_switch_statement":
        return _switch(node, names)
    if node.type in {"short_var_declaration", "assignment_statement"}:
        _assign(node, names)
        return None
    raise ImpureError(text(node))


def _if(node: Node, names: _Names) -> Scalar | None:
    if _evaluate(_child(node, "condition"), names):
        return _run(_statements(_child(node, "consequence")), names)
    other = node.child_by_field_name("alternative")
    if other is None:
        return None
    return _if(other, names) if other.type == "if_statement" else _run(_statements(other), names)


def _switch(node: Node, names: _Names) -> Scalar | None:
    subject = _evaluate(_child(node, "value"), names)
    last: Node | None = None
    for case in node.named_children[1:]:
        if case.type == "default_case":
            last = case
        elif any(_evaluate(each, names) == subject for each in _child(case, "value").named_children):
            return _run(_statements(case)[1:], names)
    return _run(_statements(last), names) if last is not None else None


def _assign(node: Node, names: _Names) -> None:
    target, value = text(_child(node, "left")), _evaluate(_child(node, "right"), names)
    sign = text(node.child_by_field_name("operator")).rstrip("=:")
    names[target] = _BINARY[sign](names[target], value) if sign else value


def _divide(left: int, right: int) -> int:
    quotient = abs(left) // abs(right)
    return quotient if (left < 0) == (right < 0) else -quotient


_BINARY: dict[str, Callable[..., Scalar]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": _divide,
    "%": lambda left, right: left - right * _divide(left, right),
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip

_CALLS: dict[str, Callable[..., Scalar]] = {
    "len": len, "min": min, "max": max,
    "strings.HasPrefix": str.startswith, "strings.HasSuffix": str.endswith, "strings.Contains": str.__contains__,
    "strings.EqualFold": lambda left, right: left.lower() == right.lower(),
    "strings.ToLower": str.lower, "strings.TrimSpace": str.strip, "strings.TrimPrefix": str.removeprefix,
    "strings.TrimSuffix": str.removesuffix, "strings.Trim": str.strip,
    "strings.ReplaceAll": str.replace,
}  # fmt: skip


def _evaluate(node: Node, names: _Names) -> Scalar:
    source = text(node)
    if node.type in {"expression_list", "parenthesized_expression", "literal_element"}:
        return _evaluate(node.named_children[0], names)
    literal = constant(source)
    if literal is not None and not node.named_children[1:]:
        return literal
    if source in {"true", "false"}:
        return source == "true"
    if node.type == "identifier" and source in names:
        return names[source]
    if node.type == "unary_expression" and source.startswith("!"):
        return not _evaluate(_child(node, "operand"), names)
    if node.type == "binary_expression":
        return _binary(node, names)
    if node.type == "call_expression" and text(node.child_by_field_name("function")) in _CALLS:
        given = [_evaluate(each, names) for each in _child(node, "arguments").named_children]
        return _CALLS[text(node.child_by_field_name("function"))](*given)
    raise ImpureError(source)


def _binary(node: Node, names: _Names) -> Scalar:
    sign = text(node.child_by_field_name("operator"))
    left = _evaluate(_child(node, "left"), names)
    if sign in {"&&", "||"}:
        return bool(_evaluate(_child(node, "right"), names)) if left == (sign == "&&") else left
    return _BINARY[sign](left, _evaluate(_child(node, "right"), names))


def _child(node: Node, name: str) -> Node:
    return cast(Node, node.child_by_field_name(name))

"""Ways to spoil a declaration, each a pure function of (code, rng); whether the result is valid is not known.

A corruption that finds nothing to spoil returns the code as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from difflib import SequenceMatcher
from random import Random

from tree_sitter import Node

from hrm_ray.golang.syntax import fragment_declarations
from hrm_ray.golang.tree import is_leaf, parse_fragment, walk

_BRACKETS = frozenset("()[]{}")
_OPERATORS = ("==", "!=", "<", ">", "<=", ">=", "+", "-", "*", "/", "&&", "||", "=", ":=", "+=")
_GROUPS = frozenset({"statement_list", "field_declaration_list", "literal_value", "interface_type", "var_spec_list"})
_PACKAGE_BYTES = len(b"package p\n")


def empty_bodies(code: str) -> str:
    """The signatures of `code` with empty bodies; empty where a declaration is not a function with a body."""
    found = fragment_declarations(parse_fragment(code))
    bodies = [body for node in found if (body := node.child_by_field_name("body")) is not None]
    if len(bodies) != len(found):
        return ""
    for body in reversed(bodies):
        code = _splice(code, body.start_byte, body.end_byte, "{\n}")
    return code


def apply_partly(before: str, code: str, rng: Random) -> str:
    """Make only some of the change: each run of changed lines is taken from before or after by a coin."""
    old, new = before.split("\n"), code.split("\n")
    lines: list[str] = []
    for tag, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        lines += new[c:d] if tag == "equal" or rng.random() < 0.5 else old[a:b]
    return "\n".join(lines)


def _delete_line(code: str, rng: Random) -> str:
    lines = code.split("\n")
    del lines[rng.randrange(len(lines))]
    return "\n".join(lines)


def _duplicate_line(code: str, rng: Random) -> str:
    lines = code.split("\n")
    at = rng.randrange(len(lines))
    return "\n".join([*lines[: at + 1], *lines[at:]])


def _truncate(code: str, rng: Random) -> str:
    return code[: rng.randrange(len(code) // 2, len(code))] if len(code) > 1 else code


def _drop_bracket(code: str, rng: Random) -> str:
    brackets = [leaf for leaf in _tokens(code) if leaf.type in _BRACKETS]
    if not brackets:
        return code
    leaf = rng.choice(brackets)
    return _splice(code, leaf.start_byte, leaf.end_byte, "")


def _swap_tokens(code: str, rng: Random) -> str:
    tokens = _tokens(code)
    if len(tokens) < 2:
        return code
    at = rng.randrange(len(tokens) - 1)
    data = code.encode("utf-8", "surrogatepass")
    (a, b), (c, d) = (
        (leaf.start_byte - _PACKAGE_BYTES, leaf.end_byte - _PACKAGE_BYTES) for leaf in tokens[at : at + 2]
    )
    return (data[:a] + data[c:d] + data[b:c] + data[a:b] + data[d:]).decode("utf-8", "surrogatepass")


def _replace_operator(code: str, rng: Random) -> str:
    operators = [leaf for leaf in _tokens(code) if leaf.type in _OPERATORS]
    if not operators:
        return code
    leaf = rng.choice(operators)
    return _splice(code, leaf.start_byte, leaf.end_byte, rng.choice([op for op in _OPERATORS if op != leaf.type]))


def _delete_statements(code: str, rng: Random) -> str:
    """Delete one statement, field or entry, or up to half of the neighbours that follow it."""
    groups = [node.named_children for node, kind, _ in walk(parse_fragment(code)) if kind in _GROUPS]
    groups = [group for group in groups if group]
    if not groups:
        return code
    group = rng.choice(groups)
    first = rng.randrange(len(group))
    last = min(len(group) - 1, first + rng.randrange(max(1, len(group) // 2)))
    return _splice(code, group[first].start_byte, group[last].end_byte, "")


def _tokens(code: str) -> list[Node]:
    found = walk(parse_fragment(code))
    return [node for node, kind, _ in found if is_leaf(node, kind) and kind != "comment" and node.start_point.row > 0]


def _splice(code: str, start: int, end: int, text: str) -> str:
    """Put `text` in place of the bytes start:end of the parsed fragment."""
    data = code.encode("utf-8", "surrogatepass")
    kept = data[: start - _PACKAGE_BYTES] + text.encode() + data[end - _PACKAGE_BYTES :]
    return kept.decode("utf-8", "surrogatepass")


CORRUPTIONS: dict[str, Callable[[str, Random], str]] = {
    "deleted line": _delete_line,
    "duplicated line": _duplicate_line,
    "truncated tail": _truncate,
    "dropped bracket": _drop_bracket,
    "swapped tokens": _swap_tokens,
    "replaced operator": _replace_operator,
    "deleted statements": _delete_statements,
}

"""Ways to spoil a declaration, each a pure function of (code, rng); whether the result is valid is not known.

A corruption that finds nothing to spoil returns the code as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from difflib import SequenceMatcher
from random import Random

from tree_sitter import Node

from hrm_ray.golang.fragment import fragment

_BRACKETS = frozenset("()[]{}")
_OPERATORS = ("==", "!=", "<", ">", "<=", ">=", "+", "-", "*", "/", "&&", "||", "=", ":=", "+=")
_GROUPS = frozenset({"statement_list", "field_declaration_list", "literal_value", "interface_type", "var_spec_list"})
_PACKAGE_BYTES = len(b"package p\n")


def apply_partly(before: str, code: str, rng: Random) -> str:
    """Make some of the change: each run of changed lines becomes the lines after, those before, both or none of them,
    by a draw; where all of it would be right, one run is not."""
    old, new = before.split("\n"), code.split("\n")
    changes = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    wrong = rng.choice([at for at, (tag, *_) in enumerate(changes) if tag != "equal"] or [-1])
    lines: list[str] = []
    for at, (tag, a, b, c, d) in enumerate(changes):
        right, wrongs = new[c:d], [way for way in (old[a:b], old[a:b] + new[c:d], []) if way != new[c:d]]
        lines += right if tag == "equal" else rng.choice(wrongs if at == wrong else [right, *wrongs])
    return "\n".join(lines)


def _delete_line(code: str, rng: Random) -> str:
    lines = code.split("\n")
    del lines[rng.randrange(len(lines))]
    return "\n".join(lines)


def _repeat_line(code: str, rng: Random) -> str:
    lines = code.split("\n")
    line = rng.choice(lines)
    lines.insert(rng.randrange(len(lines) + 1), line)
    return "\n".join(lines)


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
    one, other = ((leaf.start_byte, leaf.end_byte) for leaf in tokens[at : at + 2])
    return _exchange(code, one, other)


def _replace_operator(code: str, rng: Random) -> str:
    operators = [leaf for leaf in _tokens(code) if leaf.type in _OPERATORS]
    if not operators:
        return code
    leaf = rng.choice(operators)
    return _splice(code, leaf.start_byte, leaf.end_byte, rng.choice([op for op in _OPERATORS if op != leaf.type]))


def _delete_statements(code: str, rng: Random) -> str:
    """Delete neighbours of a group, never all of it, with what stands between them and the next."""
    if (found := _neighbours(code, rng)) is None:
        return code
    group, first, last = found
    start = group[first - 1].end_byte if first else group[first].start_byte
    end = group[last].end_byte if first else group[last + 1].start_byte
    return _splice(code, start, end, "")


def _exchange_statements(code: str, rng: Random) -> str:
    """Let neighbours change places with the one behind them."""
    if (found := _neighbours(code, rng)) is None:
        return code
    group, first, last = found
    first = min(first, len(group) - 2)
    last = min(last, len(group) - 2)
    one, other = (group[first].start_byte, group[last].end_byte), (group[last + 1].start_byte, group[last + 1].end_byte)
    return _exchange(code, one, other)


def _repeat_statements(code: str, rng: Random) -> str:
    """Write neighbours once more, before another one that does not follow them."""
    if (found := _neighbours(code, rng)) is None:
        return code
    group, first, last = found
    places = [node.start_byte for at, node in enumerate(group) if not first <= at <= last + 1]
    if not places:
        return code
    text, between = (
        _bytes(code, start, end)
        for start, end in ((group[first].start_byte, group[last].end_byte), (group[0].end_byte, group[1].start_byte))
    )
    at = rng.choice(places)
    return _splice(code, at, at, text + between)


def _rename(code: str, rng: Random) -> str:
    """Give some places the names of others of their kind."""
    kind = rng.choice(("identifier", "field_identifier", "type_identifier"))
    names = [leaf for leaf in _tokens(code) if leaf.type == kind]
    known = sorted({leaf.text or b"" for leaf in names})
    if len(known) < 2:
        return code
    chosen = rng.sample(names, min(len(names), rng.randrange(2, 4 + len(names) // 4)))
    for leaf in sorted(chosen, key=lambda leaf: -leaf.start_byte):
        name = rng.choice([name for name in known if name != leaf.text])
        code = _splice(code, leaf.start_byte, leaf.end_byte, name.decode("utf-8", "surrogatepass"))
    return code


def _neighbours(code: str, rng: Random) -> tuple[list[Node], int, int] | None:
    """Draw a group of several statements, fields or entries, and the places of the first and the last of up to half of
    it; None where there is no such group."""
    groups = [node.named_children for node, kind, _ in fragment(code).walk() if kind in _GROUPS]
    groups = [group for group in groups if len(group) > 1]
    if not groups:
        return None
    group = rng.choice(groups)
    first = rng.randrange(len(group))
    return group, first, min(len(group) - 1, first + rng.randrange(len(group) // 2))


def _tokens(code: str) -> list[Node]:
    return list(fragment(code).tokens())


def _exchange(code: str, one: tuple[int, int], other: tuple[int, int]) -> str:
    """Let two spans of the parsed fragment, the earlier first, change places."""
    texts = _bytes(code, *other), _bytes(code, *one)
    return _splice(_splice(code, *other, texts[1]), *one, texts[0])


def _bytes(code: str, start: int, end: int) -> str:
    data = code.encode("utf-8", "surrogatepass")
    return data[start - _PACKAGE_BYTES : end - _PACKAGE_BYTES].decode("utf-8", "surrogatepass")


def _splice(code: str, start: int, end: int, text: str) -> str:
    """Put `text` in place of the bytes start:end of the parsed fragment."""
    data = code.encode("utf-8", "surrogatepass")
    kept = data[: start - _PACKAGE_BYTES] + text.encode("utf-8", "surrogatepass") + data[end - _PACKAGE_BYTES :]
    return kept.decode("utf-8", "surrogatepass")


CORRUPTIONS: dict[str, Callable[[str, Random], str]] = {
    "deleted line": _delete_line,
    "repeated line": _repeat_line,
    "truncated tail": _truncate,
    "dropped bracket": _drop_bracket,
    "swapped tokens": _swap_tokens,
    "replaced operator": _replace_operator,
    "deleted statements": _delete_statements,
    "exchanged statements": _exchange_statements,
    "repeated statements": _repeat_statements,
    "other names": _rename,
}

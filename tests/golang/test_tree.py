from __future__ import annotations

import pytest

from hrm_ray.golang.tree import MOST_BYTES, is_leaf, parse, parse_file, parse_fragment, walk


def test_walk_is_in_source_order_and_keeps_strings_whole() -> None:
    nodes = [node for node, *_ in walk(parse_file('package p\nvar x = "a\\n" + `b`\n'))]
    assert [node.start_byte for node in nodes] == sorted(node.start_byte for node in nodes)
    assert not [node for node in nodes if node.type == "escape_sequence"]


@pytest.mark.parametrize(
    "hard",
    [
        "case x:\n" * 4_000,  # quadratic: nine seconds
        "type T struct {\n" + "/*!" * 20_000,  # twenty
    ],
)
def test_what_takes_too_many_steps_is_as_if_empty_and_does_not_touch_the_next(hard: str) -> None:
    assert parse_fragment(hard).end_byte == parse_file(hard).end_byte == 0
    following = parse(b"package p\nvar x = 1\n")
    assert [node.type for node in following.named_children] == ["package_clause", "var_declaration"]


def test_a_long_fragment_is_parsed_like_a_short_one() -> None:
    text = "func f() {\n" + "\tx = g(`é`, b[1:]...)\n" * 2_000 + "}"
    root = parse_fragment(text)
    tokens = [node.text or b"" for node, kind, _ in walk(root) if is_leaf(node, kind)]
    assert not root.has_error
    assert b"".join(tokens) == b"packagep" + "".join(text.split()).encode()


def test_a_fragment_that_is_too_long_is_as_if_empty() -> None:
    assert parse_fragment("//" + "é" * (MOST_BYTES // 2 - 1)).end_byte > MOST_BYTES
    assert parse_fragment("//" + "é" * (MOST_BYTES // 2)).end_byte == 0

"""Digests are equal exactly where what they stand for is."""

from __future__ import annotations

from hrm_ray.prepare.dedup import fingerprint, text_digest
from tests.prepare.factory import example


def test_fingerprint_is_of_before_and_code_only() -> None:
    assert fingerprint(example()) == fingerprint(example(title="Another", repository="b/b", path="x.go", plan="y"))
    assert fingerprint(example(before="ab", code="c")) != fingerprint(example(before="a", code="bc"))


def test_a_doc_comment_makes_no_other_declaration() -> None:
    assert text_digest("// F is new.\n//\n// Really.\nfunc F() { // why\n}") == text_digest("func F() { // why\n}")
    assert text_digest("func F() { // why\n}") != text_digest("func F() {\n}")
    assert text_digest("// alone") != ""


def test_white_space_makes_no_other_text() -> None:
    assert text_digest("a {\n\tb\n}") == text_digest("a { b }\n") != text_digest("a{ b }")
    assert text_digest("") == text_digest(" \n") == ""

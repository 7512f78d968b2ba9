from __future__ import annotations

import zlib
from collections import Counter
from pathlib import Path

import pytest

from hrm_ray.collect import records
from hrm_ray.evaluate.rivals import looks
from hrm_ray.evaluate.statistics import roc_area
from hrm_ray.golang.leaves import leaves
from hrm_ray.golang.syntax import validate
from hrm_ray.prepare.extract import extract
from hrm_ray.prepare.judgements import Decision, is_copy, judgements, label
from tests.prepare.factory import example

BEFORE = "func F(a int) error {\n\treturn g(a)\n}"
CODE = """func F(a int) error {
	if a < 0 {
		return errors.New("negative")
	}
	for i := 0; i < a; i++ {
		log.Print(i)
	}
	return g(a)
}"""
EXAMPLE = example(before=BEFORE, code=CODE)
ADDED = example(before="", code=CODE, change="added")


@pytest.mark.parametrize(
    ("attempt", "decision"),
    [
        (CODE, Decision.DONE),
        ("// Why.\n" + CODE.replace("\t", "  "), Decision.DONE),
        (BEFORE, Decision.REFINE),
        (CODE.replace("return errors", "errors"), None),
        (CODE.replace("i", "j"), Decision.CONTINUE),
        (CODE.replace("log.Print(i)", "log.Print(i, a, i, a, i)"), Decision.REFINE),
        (CODE[:-1], Decision.CONTINUE),
        (CODE + "\n" + BEFORE, Decision.CONTINUE),
        ("type F struct{}", Decision.CONTINUE),
        ("", Decision.CONTINUE),
    ],
)
def test_labels(attempt: str, decision: Decision | None) -> None:
    found, diagnostic = label(attempt, EXAMPLE)
    assert found == decision
    assert (diagnostic is not None) == (decision == Decision.CONTINUE)


def test_copy_of_the_input_is_refined_however_small_the_change() -> None:
    small = example(before=CODE.replace("a < 0", "a <= 0"), code=CODE)
    assert label(small.before, small) == (Decision.REFINE, None)
    assert label(CODE.replace("a < 0", "a > 0"), small) == (None, None)
    comments = example(before=CODE, code="// Doc.\n" + CODE)
    assert label(comments.code, comments) == (Decision.REFINE, None)


def test_near_is_a_share_in_long_code() -> None:
    lines = "".join(f"\tf{at}(a)\n" for at in range(50))
    long = example(before=BEFORE, code=f"func F(a int) {{\n{lines}}}")
    assert label(long.code.replace("\tf7(a)\n", "").replace("\tf8(a)\n", ""), long)[0] is None
    assert label(long.code.replace("(a)", "(b)"), long)[0] == Decision.REFINE


def test_at_most_one_attempt_of_each_class_and_labels_are_true() -> None:
    for given in (EXAMPLE, ADDED):
        found = judgements(given, 0, Counter())
        assert [one.label for one in found] == [Decision.CONTINUE, Decision.REFINE, Decision.DONE]
        for one in found:
            diagnostic = validate(one.attempt, given.kinds)
            assert label(one.attempt, given) == (one.label, diagnostic)
            assert one.feedback == (diagnostic.kind.value if diagnostic else "valid")
            assert (one.example_id, one.change) == (given.id, given.change)
            assert (one.origin == "reference") == (one.label == Decision.DONE)


def test_a_copy_of_the_input_is_never_judged() -> None:
    for seed in range(20):
        for one in judgements(EXAMPLE, seed, Counter()):
            assert not is_copy(one.attempt, EXAMPLE.before)
    assert is_copy("// Why.\n" + BEFORE, BEFORE)
    assert not is_copy(BEFORE, "")


def test_pure_in_seed_and_example() -> None:
    assert judgements(EXAMPLE, 3, Counter()) == judgements(EXAMPLE, 3, Counter())
    assert len({one.attempt for seed in range(20) for one in judgements(EXAMPLE, seed, Counter())}) > 10


def test_comment_changes_give_none_and_what_is_missing_is_counted() -> None:
    drops: Counter[str] = Counter()
    assert judgements(example(comment_only=True), 0, drops) == []
    assert drops == {"judge: only comments change": 1}
    tiny = example(before="", code="type T int", kinds=("type",), change="added")
    found = judgements(tiny, 0, drops)
    assert {one.label for one in found} == {Decision.CONTINUE}
    assert drops["judge: no REFINE attempt that looks like the reference"] == 1


def test_nothing_that_is_seen_from_afar_tells_the_classes_of_real_changes_apart(shared_data: Path) -> None:
    """Of the rules here the best had an area of 0.72 while the REFINE of a change was any corruption of it."""
    drops: Counter[str] = Counter()
    found = [
        (one, made)
        for pull_request in records.read(shared_data / "go_prs_small.jsonl.gz")
        for one in extract(pull_request, 12, drops)
        if len(one.code) < 700
        for made in judgements(one, 0, drops)
    ]
    labels = Counter(made.label for _, made in found)
    assert labels[Decision.REFINE] == labels[Decision.DONE] > 0.4 * labels[Decision.CONTINUE] > 40
    assert len({made.origin for _, made in found}) >= 9
    valid = [(one, made) for one, made in found if made.label != Decision.CONTINUE]
    attempts, before = [made.attempt for _, made in valid], [one.before for one, _ in valid]
    rules = looks(attempts, before) | {
        "compressed size": [len(zlib.compress(text.encode())) for text in attempts],
        "shorter than the input": [float(len(a) < len(b)) for a, b in zip(attempts, before, strict=True)],
        "a certain token": [float("err" in leaves(text)) for text in attempts],
        "a blank line": [float(any(not line.strip() for line in text.split("\n"))) for text in attempts],
        "an empty body": [float(text.endswith("{\n}")) for text in attempts],
    }
    done = [made.label == Decision.DONE for _, made in valid]
    areas = {name: roc_area(values, done) for name, values in rules.items()}
    assert areas == pytest.approx(dict.fromkeys(rules, 0.5), abs=0.03)

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from hrm_ray.collect import records
from hrm_ray.golang.syntax import validate
from hrm_ray.prepare.corruptions import empty_bodies
from hrm_ray.prepare.extract import extract
from hrm_ray.prepare.judgements import Decision, judgements, label
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


def test_pure_in_seed_and_example() -> None:
    assert judgements(EXAMPLE, 3, Counter()) == judgements(EXAMPLE, 3, Counter())
    assert len({one.attempt for seed in range(20) for one in judgements(EXAMPLE, seed, Counter())}) > 10


def test_comment_changes_give_none_and_what_is_missing_is_counted() -> None:
    drops: Counter[str] = Counter()
    assert judgements(example(comment_only=True), 0, drops) == []
    assert drops == {"judge: only comments change": 1}
    tiny = example(before="", code="type T int", kinds=("type",), change="added")
    found = judgements(tiny, 0, drops)
    assert Decision.REFINE not in {one.label for one in found}
    assert drops["judge: no REFINE attempt"] == 1


def test_empty_bodies() -> None:
    assert empty_bodies(CODE) == "func F(a int) error {\n}"
    both = empty_bodies("// é\n" + CODE + "\n\nfunc (s *S) G() { é() } // end")
    assert both == "// é\nfunc F(a int) error {\n}\n\nfunc (s *S) G() {\n} // end"
    assert empty_bodies("type T int") == ""
    assert empty_bodies(CODE + "\n\ntype T int") == ""


def test_classes_are_balanced_on_real_changes(shared_data: Path) -> None:
    drops: Counter[str] = Counter()
    labels: Counter[Decision] = Counter()
    origins: Counter[str] = Counter()
    for pull_request in records.read(shared_data / "go_prs_small.jsonl.gz"):
        for one in extract(pull_request, 12, drops):
            if len(one.code) < 3000:
                found = judgements(one, 0, drops)
                labels.update(judgement.label for judgement in found)
                origins.update(judgement.origin for judgement in found)
    assert min(labels.values()) > 0.75 * max(labels.values()) > 75
    assert len(origins) >= 8

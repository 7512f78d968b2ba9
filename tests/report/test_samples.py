"""Which samples are shown, and where the error is marked."""

from __future__ import annotations

import json

import pytest

from hrm_ray.report.files import Diagnostic, Sample
from hrm_ray.report.samples import choose, code_lines
from tests.report.conftest import sample


def samples(count: int) -> list[Sample]:
    return [Sample.model_validate(json.loads(json.dumps(sample(index, index % 4 == 0)))) for index in range(count)]


def error(line: int, column: int) -> Diagnostic:
    return Diagnostic(kind="syntax error", line=line, column=column, message="this does not parse")


def test_the_choice_depends_on_ids_alone() -> None:
    given = samples(100)
    chosen = [shown.sample.id for shown in choose(given)]
    worse = [one.model_copy(update={"valid": False, "improved": False}) for one in reversed(given)]
    assert len(chosen) == 12
    assert [shown.sample.id for shown in choose(worse)] == chosen
    assert chosen != [one.id for one in given[:12]]


def test_the_choice_keeps_the_share_of_failures() -> None:
    shares = [shown.sample.improved for shown in choose(samples(4000), count=1000)]
    assert sum(shares) / 1000 == pytest.approx(0.25, abs=0.04)


def test_the_error_is_marked_at_its_line_and_byte_column() -> None:
    lines = code_lines('a := 1\nb := "\N{LATIN SMALL LETTER E WITH ACUTE}" + ) 2\n', "", error(2, 13))
    assert len(lines) == 2
    assert (lines[1].left, lines[1].at, lines[1].right) == ('b := "\N{LATIN SMALL LETTER E WITH ACUTE}" + ', ")", " 2")
    assert lines[1].message == "2:13 syntax error: this does not parse"
    assert lines[0].message == ""


@pytest.mark.parametrize(("text", "line", "column"), [("", 1, 1), ("func", 9, 1), ("func", 1, 90), ("a\n", 0, 0)])
def test_an_error_outside_the_text_is_marked_at_its_edge(text: str, line: int, column: int) -> None:
    lines = code_lines(text, "", error(line, column))
    assert [one.at != "" for one in lines] == [True]
    assert lines[0].message


def test_lines_that_are_not_in_the_input_are_new() -> None:
    assert [line.new for line in code_lines("a\nx\nb", "a\nb")] == [False, True, False]
    assert [line.new for line in code_lines("a\nx\nb", "")] == [False, False, False]
    assert code_lines("", "a") == []

from __future__ import annotations

import pytest

from hrm_ray.collect.synthetic.interpreter import ImpureError, call, constant
from hrm_ray.collect.synthetic.tree import functions

SOURCE = """package a

func grade(n int, key string, on bool) int {
	// comment
	result := n*2 + base
	if n > 10 && (on || key == "") {
		result += 5
	} else if strings.HasPrefix(key, "x") {
		return -result / 2
	} else {
		result = max(result, 7)
	}
	switch key {
	case "open", "shut":
		return result % 4
	default:
		result -= len(key)
	}
	return result
}

func loop(n int) int {
	for {
	}
}
"""
GRADE, LOOP = functions("a.go", SOURCE)


@pytest.mark.parametrize(
    ("arguments", "want"),
    [
        ((11, "", False), 11 * 2 + 3 + 5),
        ((11, "ab", True), 22 + 3 + 5 - 2),
        ((1, "xy", False), None),
        ((1, "shut", False), 7 % 4),
        ((10, "abc", True), 23 - 3),
    ],
)
def test_runs_branches_switches_and_assignments(arguments: tuple[int, str, bool], want: int | None) -> None:
    if want is None:
        with pytest.raises(ImpureError, match="-result"):
            call(GRADE, {"base": 3}, arguments)
    else:
        assert call(GRADE, {"base": 3}, arguments) == want


def test_refuses_what_it_does_not_know() -> None:
    with pytest.raises(ImpureError):
        call(LOOP, {}, (1,))
    with pytest.raises(ImpureError, match="base"):
        call(GRADE, {}, (1, "", False))


def test_division_truncates_as_in_go() -> None:
    (function,) = functions("a.go", "package a\n\nfunc f(a, b int) int {\n\treturn (a - 9)/b*100 + (a - 9)%b\n}\n")
    assert call(function, {}, (2, 2)) == -3 * 100 - 1


def test_constants_are_plain_literals() -> None:
    assert (constant("12"), constant('"a b"'), constant("3 * time.Second")) == (12, "a b", None)

from __future__ import annotations

import pytest

from hrm_ray.golang.splice import splice

FILE = """package p

// Old é.
func f() {}

func (r *R) M() {}

const (
	A = 1
	B = 2
)
"""


@pytest.mark.parametrize(
    ("names", "left"),
    [
        ({"f"}, "package p\n\nnew\n\nfunc (r *R) M() {}\n"),
        ({"R.M"}, "// Old é.\nfunc f() {}\n\nnew\n\nconst"),
        ({"B", "C"}, "func (r *R) M() {}\n\nnew\n"),
        ({"f", "R.M"}, "package p\n\nnew\n\n\n\nconst"),
        ({"g"}, "B = 2\n)\n\n\nnew"),
        (set[str](), "B = 2\n)\n\n\nnew"),
    ],
)
def test_code_takes_the_place_of_what_it_declares(names: set[str], left: str) -> None:
    spliced = splice(FILE, "new", names)
    assert left in spliced.source
    assert spliced.source.encode()[spliced.start : spliced.end] == b"new"
    assert "Old" not in spliced.source or "f" not in names

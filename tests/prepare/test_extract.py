from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from hrm_ray.collect import records
from hrm_ray.collect.records import PullRequest
from hrm_ray.golang.declarations import outline
from hrm_ray.golang.syntax import validate
from hrm_ray.prepare.examples import Example
from hrm_ray.prepare.extract import extract
from hrm_ray.prepare.plan import kinds_of
from hrm_ray.prepare.runs import RUN_BYTES
from tests.prepare import factory

BEFORE = """package p

import "fmt"

// A says.
func A() {
	fmt.Println(1)
}

var x = 1

func Gone(a, b int) {
	fmt.Println(a, b)
}
"""
AFTER = """package p

import "os"

type First struct{}

// A says.
func A() {
	os.Exit(1)
}

func B() {
	A()
}

func C() {
	B()
}

// x is one.
var x = 1

func init() {
	C()
}

func init() {
	B()
}
"""


def pull_request(before: str = BEFORE, after: str = AFTER, path: str = "p/a.go") -> PullRequest:
    made = factory.pull_request("acme/rocket", 3, before, after)
    return replace(made, files=(replace(made.files[0], filename=path),))


def extracted(*pull_requests: PullRequest) -> tuple[list[Example], Counter[str]]:
    drops: Counter[str] = Counter()
    found = [example for one in pull_requests for example in extract(one, 12, drops)]
    return found, +drops


def test_modified_declarations_one_by_one_and_additions_by_anchor() -> None:
    found, drops = extracted(pull_request())
    assert [(one.change, one.names) for one in found] == [
        ("modified", ("A",)),
        ("modified", ("x",)),
        ("added", ("First",)),
        ("added", ("B", "C")),
        ("added", ("init", "init")),
    ]
    assert drops == {"removed declaration": 1}
    by_name = {one.names: one for one in found}
    assert by_name[("A",)].before == "// A says.\nfunc A() {\n\tfmt.Println(1)\n}"
    assert by_name[("A",)].anchor == ""
    assert by_name[("B", "C")].code == "func B() {\n\tA()\n}\n\nfunc C() {\n\tB()\n}"
    assert by_name[("B", "C")].kinds == ("function", "function")
    assert by_name[("init", "init")].anchor == "var x = 1"
    assert by_name[("First",)].anchor == ""
    assert by_name[("x",)].comment_only
    assert not by_name[("A",)].comment_only


def test_the_anchor_is_what_stood_there_before() -> None:
    found, _ = extracted(pull_request())
    anchors = {one.names: one.anchor for one in found if one.change == "added"}
    assert anchors[("B", "C")] == "// A says.\nfunc A() {\n\tfmt.Println(1)\n}"
    for one in found:
        assert sorted(one.outline.split("\n")) == sorted(outline(BEFORE).split("\n"))
        assert one.before in BEFORE
        assert one.anchor in BEFORE


def test_new_file_has_no_context() -> None:
    found, drops = extracted(pull_request(before=""))
    assert [(one.change, len(one.names)) for one in found] == [("added", 7)]
    assert (found[0].outline, found[0].before, found[0].anchor) == ("", "", "")
    assert not drops


def test_a_long_new_file_is_several_examples_behind_the_same_prefix() -> None:
    long = "package p\n" + "".join(f"\nfunc F{at}() {{\n\tg({at})\n}}\n" for at in range(30))
    found, drops = extracted(pull_request(before="", after=long))
    assert [name for one in found for name in one.names] == [f"F{at}" for at in range(30)]
    assert [len(one.names) for one in found] == [12, 12, 6], "no more than the plan has steps"
    assert {(one.change, one.title, one.body, one.outline, one.before, one.anchor) for one in found} == {
        ("added", found[0].title, found[0].body, "", "", "")
    }
    assert len({one.id for one in found}) == 3
    assert not drops
    short = extract(pull_request(before="", after=long), 12, drops, run_bytes=60)
    assert all(len(one.code.encode()) <= 60 + 2 for one in short)
    assert [name for one in short for name in one.names] == [f"F{at}" for at in range(30)]
    assert found == extracted(pull_request(before="", after=long))[0]


def test_what_the_declaration_calls_stands_first_in_the_outline() -> None:
    before = "package p\n\nfunc A() {}\n\nfunc B() {\n\tC()\n}\n\nfunc C() {}\n\nfunc D() {}\n"
    after = before.replace("C()\n}", "C()\n\tD()\n}")
    [one] = extracted(pull_request(before, after))[0]
    assert one.outline == "package p\nfunc C()\nfunc A()\nfunc D()\nfunc B()", "D is called by the file after alone"


def test_ids_tell_duplicates_and_requests_apart() -> None:
    inits = "package p\n\nfunc init() { a() }\n\nvar x = 1\n\nfunc init() { b() }\n"
    one = pull_request(inits, inits.replace("()", "(1)").replace("init(1)", "init()"))
    other = replace(one, pull_request=replace(one.pull_request, number=4))
    found, _ = extracted(one, other)
    assert len(found) == 4
    assert len({example.id for example in found}) == 4
    assert all(len(example.id) == 16 and int(example.id, 16) >= 0 for example in found)
    assert extracted(one)[0] == found[:2]


@pytest.mark.parametrize(("before", "after"), [(BEFORE, AFTER + "}"), ("x := 1", AFTER)])
def test_a_file_that_is_not_go_gives_nothing(before: str, after: str) -> None:
    assert extracted(pull_request(before, after)) == ([], {"file with a syntax error": 1})


def test_removed_file_counts_its_declarations() -> None:
    assert extracted(pull_request(after="")) == ([], {"removed declaration": 3})


def test_move_to_another_file() -> None:
    body = "() {\n\tfor i := 0; i < 10; i++ {\n\t\tfmt.Println(i)\n\t}\n}\n"
    source = pull_request(f"package p\n\nfunc Same{body}\nfunc Old{body.replace('10', '20')}", "package p\n").files[0]
    target = replace(source, filename="p/b.go", content_before="", content_after=source.content_before)
    target = replace(target, content_after=target.content_after.replace("func Old", "func New"))
    found, drops = extracted(replace(pull_request(), files=(source, target)))
    assert [(one.path, one.change, one.names) for one in found] == [("p/b.go", "modified", ("New",))]
    assert found[0].before in source.content_before
    assert found[0].outline == ""
    assert drops == {"moved declaration": 1}


def test_test_files_are_marked() -> None:
    found, _ = extracted(pull_request(path="p/a_test.go"))
    assert all(one.is_test for one in found)
    assert not any(one.is_test for one in extracted(pull_request())[0])


def test_real_sample_is_valid_and_leaks_nothing(shared_data: Path) -> None:
    ids = []
    for pull_request in records.read(shared_data / "go_prs_small.jsonl.gz"):
        contents = {file.filename: file.content_before for file in pull_request.files}
        drops: Counter[str] = Counter()
        for one in extract(pull_request, 12, drops):
            ids.append(one.id)
            assert validate(one.code, one.kinds) is None
            assert kinds_of(one.plan) == one.kinds
            assert one.plan.count("\n") < 12
            assert one.change == "modified" or len(one.names) == 1 or len(one.code.encode()) < 1.1 * RUN_BYTES
            assert sorted(one.outline.split("\n")) == sorted(outline(contents[one.path]).split("\n"))
            assert one.anchor in contents[one.path]
            assert any(one.before in content for content in contents.values())
            assert (one.before == "") == (one.change == "added")
            assert one.before != one.code
        assert drops["declaration not valid on its own"] == 0
    assert len(set(ids)) == len(ids) > 150


WINDOWS = BEFORE.replace("\n", "\r\n")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (WINDOWS, BEFORE),
        (BEFORE, WINDOWS),
        (WINDOWS.replace("\r\n", "\n", 3), BEFORE),
        (f"\ufeff{BEFORE}", BEFORE),
        (BEFORE.rstrip(), f"{BEFORE}\n"),
        (WINDOWS, f"\ufeff{BEFORE}\r\n"),
    ],
)
def test_other_line_ends_are_no_change(before: str, after: str) -> None:
    assert extracted(pull_request(before, after)) == ([], Counter())
    changed = [one.names for one in extracted(pull_request(before, after.replace("Println(1)", "Println(2)")))[0]]
    assert changed == [("A",)]


def test_what_is_learnt_has_plain_line_ends() -> None:
    plain, _ = extracted(pull_request())
    windows, _ = extracted(pull_request(WINDOWS, AFTER.replace("\n", "\r\n")))
    assert windows == plain


SET = "package p\n\ntype Set struct{ m []int }\n\n%s {\n\treturn nil\n}\n\nfunc (s *Set) Len() int {\n\treturn 0\n}\n"
SUITE = """package p

var suite = describe("a", func() {
	it("b", func() {
		x := %s
		expect(x)
	})

	it("c", func() {
		expect(%d)
	})
})
"""


@pytest.mark.parametrize(
    ("before", "after", "name", "plan"),
    [
        (
            SET % "func (s *Set) Map(f func(int) int) []int",
            SET % "func (s *Set) Map[U any](f func(int) U) []U",
            "Set.Map",
            ["change signature: change int to U x2", "change signature: add type parameter U any"],
        ),
        (SUITE % ("ptr(int64(5))", 1), SUITE % ("new(int64(5))", 1), "suite", ["change call ptr to new"]),
        (SUITE % ("new(int64(5))", 1), SUITE % ("new(int64(5))", 2), "suite", ["change literal 1 to 2"]),
    ],
)
def test_what_only_go_reads_is_one_change(before: str, after: str, name: str, plan: list[str]) -> None:
    (found,), drops = extracted(pull_request(before, after))
    assert (found.change, found.names, found.plan.split("\n")[1:]) == ("modified", (name,), plan)
    assert not drops


def test_an_example_is_under_the_licence_of_its_file() -> None:
    plain = factory.pull_request("o/n", 1, "", factory.go_file("pkg", {"F": "\treturn a\n"}))
    own = replace(plain, files=tuple(replace(each, license="ISC") for each in plain.files))
    assert [each.license for made in (plain, own) for each in extract(made, 8, Counter())] == ["MIT", "ISC"]

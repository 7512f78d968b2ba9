"""What was written, in the file: where it belongs, laid out, and Go that builds."""

from __future__ import annotations

import os
import subprocess
from itertools import islice
from pathlib import Path

import pytest

from hrm_ray.collect import records
from hrm_ray.errors import UserError
from hrm_ray.golang.declarations import declarations
from hrm_ray.golang.syntax import parse_file_ok
from hrm_ray.golang.toolchain import Toolchain
from hrm_ray.patch.difference import patch
from hrm_ray.patch.edit import Edited, Writing, edit
from hrm_ray.patch.packages import Packages
from hrm_ray.patch.target import Target, locate
from hrm_ray.patch.tree import WorkingTree
from tests.collect.repository import Repo
from tests.patch.conftest import SHOP

SHOW = "// Show says.\nfunc Show(c *Cart) {\n\tos.Stdout.WriteString(strconv.Itoa(len(c.lines)))\n}"


def edited(tree: WorkingTree, *written: tuple[str, str], add: bool = False, go: Toolchain | None = None) -> Edited:
    targets = [locate(tree, "shop.go", name, add=add) for name, _ in written]
    pairs = zip(targets, written, strict=True)
    return edit([Writing(target, code) for target, (_, code) in pairs], Packages(tree, go), go)


def test_a_declaration_is_replaced_with_its_comment(tree: WorkingTree) -> None:
    code = "// Add is new.\nfunc (c *Cart) Add(line string, price money.Cents) {\n\tc.total += price\n}"
    made = edited(tree, ("Cart.Add", code))
    assert "Add appends" not in made.after
    assert code in made.after
    assert made.mended.removed == ("strings",)
    assert made.after.endswith(SHOP[SHOP.index("const (") :])


def test_an_addition_stands_between_blank_lines(tree: WorkingTree) -> None:
    behind = edited(tree, ("Cart.Add", "func F() {}\n\n"), add=True)
    assert "\tc.total += price\n}\n\nfunc F() {}\n\nconst (" in behind.after
    last = edited(tree, ("", "func F() {}"), add=True)
    assert last.after.endswith("\tfmt.Println(c.lines, c.total)\n}\n\nfunc F() {}\n")


def test_several_of_one_file(tree: WorkingTree) -> None:
    made = edited(tree, ("Show", "func Show(c *Cart) {}"), ("Cart", "type Cart struct{}"))
    assert "\ntype Cart struct{}\n\n// Add" in made.after
    assert made.after.endswith("\n\nfunc Show(c *Cart) {}\n")
    assert made.mended.removed == ("fmt",)


def test_what_is_then_declared_twice_or_not_at_all_is_said(tree: WorkingTree) -> None:
    code = "func Show() {}\n\nfunc init() {}\n\nvar journal, _ = 1, 2\n\nfunc (c *Cart) Add() {}\n\nfunc New() {}"
    assert edited(tree, ("Cart", code), add=True).repeated == ("Cart.Add", "Show", "journal")
    kept = edited(tree, ("Show", "func Show() {}"))
    assert (kept.repeated, kept.gone) == ((), ())
    assert edited(tree, ("small", "const small, middle = 1, 2")).gone == ("large",)


def test_a_file_that_no_longer_parses_says_where(tree: WorkingTree) -> None:
    assert edited(tree, ("Show", "func Show(c *Cart) {\n\tgo c\n}")).error.endswith("must be function call")
    assert edited(tree, ("Show", "func Show(c *Cart) {\n")).error
    assert edited(tree, ("Show", "func (c Cart) Show[T any](x T) {\n\tc.f(new(1))\n}")).error == ""


def test_what_only_go_reads_is_put_where_it_was(repo: Repo) -> None:
    source = SHOP + "\n// Map maps.\nfunc (c *Cart) Map[T any](x T) *T {\n\treturn new(x)\n}\n\nvar after = 1\n"
    (repo.path / "shop.go").write_text(source)
    made = edited(WorkingTree(repo.path), ("Cart.Map", "func (c *Cart) Map[U any](x U) {}"))
    assert made.after == source[: source.index("// Map")] + "func (c *Cart) Map[U any](x U) {}\n\nvar after = 1\n"
    assert (made.error, made.gone, made.repeated) == ("", (), ())


def test_a_new_file_gets_the_package_of_its_neighbours(tree: WorkingTree) -> None:
    target = locate(tree, "money/new.go", "", add=True)
    made = edit([Writing(target, "func Zero() Cents { return 0 }")], Packages(tree, None), None)
    assert (made.before, made.after) == ("", "package money\n\nfunc Zero() Cents { return 0 }\n")


def test_line_ends_and_other_bytes_stay(repo: Repo) -> None:
    source = "package shop\r\n\r\n// Ä\r\nfunc A() {\r\n}\r\n\r\nfunc B() {} // ü"
    (repo.path / "shop.go").write_bytes(source.encode())
    made = edited(WorkingTree(repo.path), ("A", "func A() {\n\tB()\n}"))
    assert made.after == "package shop\r\n\r\nfunc A() {\r\n\tB()\r\n}\r\n\r\nfunc B() {} // ü"


@pytest.mark.parametrize("content", ["", "\n", "\ufeff", " \r\n"])
def test_a_file_of_nothing_gets_its_package_and_a_patch_that_applies(repo: Repo, tmp_path: Path, content: str) -> None:
    repo.commit("Nothing yet", {"money/empty.go": content})
    tree = WorkingTree(repo.path)
    made = edit([Writing(locate(tree, "money/empty.go", "", add=True), "func F() {}")], Packages(tree, None), None)
    assert made.after == "package money\n\nfunc F() {}\n"
    (tmp_path / "x.patch").write_bytes(patch([made]).encode())
    repo.git("apply", str(tmp_path / "x.patch"))
    assert (repo.path / "money/empty.go").read_bytes().decode() == made.after
    with pytest.raises(UserError, match="--add"):
        locate(tree, "money/empty.go", "", add=False)


@pytest.mark.parametrize(("first", "second"), [("\r\n", "\n"), ("\n", "\r\n")])
def test_what_is_written_ends_its_lines_as_what_it_replaces(repo: Repo, first: str, second: str) -> None:
    one, other = ("func A() {\n\tB()\n}\n\n".replace("\n", end) for end in (first, second))
    (repo.path / "shop.go").write_bytes(f"package shop\n\n{one}{other.replace('A', 'C')}".encode())
    code = "func A() {\n\tB()\n\tB()\n}"
    made = edited(WorkingTree(repo.path), ("A", code), ("C", code.replace("A", "C")))
    assert code.replace("\n", first) in made.after
    assert code.replace("A", "C").replace("\n", second) in made.after


def test_a_comment_at_the_end_of_a_line_takes_no_part_of_the_line_end(repo: Repo) -> None:
    (repo.path / "shop.go").write_bytes(b"package shop\r\n\r\nvar a = 1 // one\r\n\r\nvar b = 2\r\n")
    made = edited(WorkingTree(repo.path), ("a", "var a = 3"))
    assert made.after == "package shop\r\n\r\nvar a = 3\r\n\r\nvar b = 2\r\n"


def test_gofmt_lays_out_only_what_it_laid_out_before(repo: Repo, go: Toolchain) -> None:
    code = "func Show(c *Cart)   { }"
    assert "func Show(c *Cart) {}" in edited(WorkingTree(repo.path), ("Show", code), go=go).after
    (repo.path / "shop.go").write_text(SHOP.replace("\tlines []string", "  lines []string"))
    assert code in edited(WorkingTree(repo.path), ("Show", code), go=go).after


@pytest.mark.parametrize("with_toolchain", [True, False])
def test_a_patch_applies_and_builds(
    repo: Repo, go: Toolchain, go_cache: str, tmp_path: Path, with_toolchain: bool
) -> None:
    repo.commit(
        "No vendor",
        {"vendor/example.org/tax/tax.go": None, "os.go": 'package shop\n\nimport "os"\n\nvar args = os.Args\n'},
    )
    tree = WorkingTree(repo.path)
    body = "func (c *Cart) Parse(text string) error {\n\tp, err := money.Parse(text)\n\tc.total += p\n\treturn err\n}"
    code = {"Show": SHOW, "Cart": "type Cart struct {\n\tlines []string\n\ttotal money.Cents\n\tcount int\n}"}
    files = [
        edited(tree, *code.items(), go=go if with_toolchain else None),
        edit([Writing(locate(tree, "log.go", "", add=True), body)], Packages(tree, None), None),
        edit(
            [Writing(locate(tree, "my new.go", "", add=True), "func G() int { return 1 }")], Packages(tree, None), None
        ),
    ]
    assert files[0].mended.added == ("os", "strconv")
    assert files[0].mended.removed == ("fmt",)
    (tmp_path / "x.patch").write_text(patch(files))
    heads = [line for line in (tmp_path / "x.patch").read_text().splitlines() if line.startswith("diff ")]
    assert heads == [f"diff --git a/{name} b/{name}" for name in ("log.go", "my new.go", "shop.go")]
    assert repo.git("status", "--porcelain") == ""
    repo.git("apply", "--check", str(tmp_path / "x.patch"))
    repo.git("apply", str(tmp_path / "x.patch"))
    alone = os.environ | {
        "GOFLAGS": "-mod=mod",
        "GOPROXY": "off",
        "GOTOOLCHAIN": "local",
        "GOCACHE": go_cache,
    }
    done = subprocess.run(
        [go.go, "build", "./..."], cwd=repo.path, env=alone, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_what_is_there_already_changes_no_real_file(packages: Packages, shared_data: Path) -> None:
    seen = 0
    for given in islice(records.read(shared_data / "go_prs_small.jsonl.gz"), 40):
        for file in (file for file in given.files if file.content_before and parse_file_ok(file.content_before)):
            for one in declarations(file.content_before)[::7]:
                target = Target(file.filename, file.content_before, one, add=False)
                assert edit([Writing(target, one.text)], packages, None).after == file.content_before
                seen += 1
    assert seen > 100

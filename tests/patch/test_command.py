"""`generate` on the user's own code, as its user calls it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from hrm_ray.cli import app
from hrm_ray.config import Config
from hrm_ray.errors import UnusableError, UserError
from hrm_ray.patch import command
from hrm_ray.patch.command import harmless, write_patch
from tests.collect.repository import Repo
from tests.conftest import ROOT
from tests.patch.conftest import SHOP, Written

SHOW = "func Show(c *Cart) {\n\tfmt.Println(strconv.Itoa(len(c.lines)))\n}"


def ask(repo: Repo, **words: Any) -> dict[str, Any]:
    return {"title": "Say how many", "repo": repo.path, **words}


def test_a_named_declaration_becomes_a_patch(
    repo: Repo, tmp_path: Path, written: Written, capsys: pytest.CaptureFixture[str]
) -> None:
    written["Show"] = ("modify function Show", SHOW)
    write_patch(tmp_path / "run", [], ask(repo, file="shop.go", declaration="Show"), 3, None)
    path = tmp_path / "run" / "patches" / "say-how-many.patch"
    said = capsys.readouterr().out
    for part in ("modify function Show", "valid Go; the head says", "shop.go: imports strconv", "+++ b/shop.go"):
        assert part in said
    assert f"git -C {repo.path} apply {path}" in said
    assert repo.git("status", "--porcelain") == ""
    repo.git("apply", str(path))
    assert SHOW in (repo.path / "shop.go").read_text()


def test_what_is_written_tells_the_terminal_nothing(
    repo: Repo, tmp_path: Path, written: Written, capsys: pytest.CaptureFixture[str]
) -> None:
    written["Show"] = ("modify function Show\x1b[2J", "func Show(c *Cart) {\n\t_ = `\x1b]0;x\x07`\n}")
    write_patch(tmp_path, [], ask(repo, file="shop.go", declaration="Show"), 3, tmp_path / "x.patch")
    assert "\x1b" not in capsys.readouterr().out
    assert "\x1b]0;x\x07" in (tmp_path / "x.patch").read_text()
    assert harmless("a\u202eb\u2066c\rd\udce9e") == "a\ufffdb\ufffdc\ufffdd\ufffde"
    assert harmless("\t世界 é\r\n") == "\t世界 é\r\n"


@pytest.mark.parametrize("place", [{"file": "shop.go", "declaration": "Show"}, {}])
@pytest.mark.parametrize("code", ["", "func Show( {", "Show(c)", "type T int", SHOP[SHOP.index("// Show") :].strip()])
def test_what_is_of_no_use_is_shown_and_not_recommended(
    repo: Repo, tmp_path: Path, written: Written, capsys: pytest.CaptureFixture[str], code: str, place: dict[str, str]
) -> None:
    written["Show"] = ("modify function Show", code)
    with pytest.raises(UnusableError) as caught:
        write_patch(tmp_path, [], ask(repo, title="Show the cart", **place), 1, tmp_path / "x.patch")
    assert caught.value.exit_code == 3
    said = capsys.readouterr().out
    assert code in said or "valid Go" in said
    assert "apply" not in said + str(caught.value)
    assert not (tmp_path / "x.patch").exists()


def test_without_a_file_the_best_are_written_into_one_patch(
    repo: Repo, tmp_path: Path, written: Written, capsys: pytest.CaptureFixture[str]
) -> None:
    written["Show"] = ("modify function Show", SHOW)
    written["Cart.Add"] = ("modify method Cart.Add", "func (c *Cart) Add() {")
    written["Parse"] = ("modify function Parse", "func Parse(text string) (Cents, error) {\n\treturn 0, nil\n}")
    asked = ask(repo, title="Cart line, price and total", body="show lines; parse money")
    write_patch(tmp_path, [], asked, 5, tmp_path / "x.patch")
    said = capsys.readouterr().out
    assert "(left out of the patch)" in said
    patch = (tmp_path / "x.patch").read_text()
    assert [line for line in patch.splitlines() if line.startswith("+++")] == ["+++ b/money/money.go", "+++ b/shop.go"]
    assert "-// Add appends" not in patch
    repo.git("apply", "--check", str(tmp_path / "x.patch"))


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ({"title": ""}, "generate: title"),
        ({"declaration": "Show"}, "declaration and add say where in a file, so they need file"),
        ({"title": "xyzzy qux"}, "no declaration shares a word"),
        ({"title": "show " * 600}, r"shop.go Show: is \d+ tokens with its problem"),
        ({"file": "none.go"}, "none.go: no such file"),
    ],
)
def test_a_mistake_is_one_sentence(
    repo: Repo, tmp_path: Path, written: Written, words: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(UserError, match=sentence):
        write_patch(tmp_path, [], ask(repo, **words), 3, None)


@pytest.mark.parametrize("place", ["", "taken/x.patch", "x" * 300])
def test_where_no_patch_can_be_is_said_before_one_is_written(
    repo: Repo, tmp_path: Path, written: Written, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    (tmp_path / "taken").touch()
    monkeypatch.setattr(command, "propose", None)
    with pytest.raises(UserError, match=r"cannot be written .*; choose another --to"):
        write_patch(tmp_path, [], ask(repo, file="shop.go", declaration="Show"), 3, tmp_path / place)
    assert not any(path.name.startswith(".") for path in tmp_path.iterdir())


def test_a_repository_without_go(tmp_path: Path) -> None:
    Repo.new(tmp_path / "r").commit("None", {"a.go": None})
    with pytest.raises(UserError, match="has no Go file"):
        write_patch(tmp_path, [], {"title": "x", "repo": tmp_path / "r"}, 3, None)


def test_problems_say_their_own_titles() -> None:
    done = CliRunner().invoke(app, ["generate", "run", "--problems", "p.jsonl", "--title", "x", "--add"])
    assert isinstance(done.exception, UserError)
    assert str(done.exception) == "--problems: each line of p.jsonl says its own title, add"


@pytest.mark.parametrize("words", [["--repo", ".."], ["--to", "x.patch"], ["--file", "x.go"], ["--add"]])
def test_a_patch_needs_a_title(words: list[str]) -> None:
    done = CliRunner().invoke(app, ["generate", "run", *words])
    assert str(done.exception).startswith("generate: title is missing")


def test_a_trained_run_writes_a_patch_that_applies(smoke: Config, repo: Repo, tmp_path: Path) -> None:
    settings = ["evaluate.max_plan_tokens=8", "evaluate.max_code_tokens=32", "evaluate.temperature=1"]
    words = [
        "--repo",
        str(repo.path),
        "--file",
        "shop.go",
        "--declaration",
        "Cart.Add",
        "--to",
        str(tmp_path / "x.patch"),
    ]
    run = [sys.executable, "-m", "hrm_ray", "generate", str(smoke.run_dir), "--title", "Sort the lines", *words]
    done = subprocess.run(
        [*run, *(word for one in settings for word in ("--set", one))],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, 3), done.stderr
    assert (tmp_path / "x.patch").exists() is (done.returncode == 0) is ("next: git" in done.stdout)
    if done.returncode == 0:  # so little training seldom writes valid Go
        repo.git("apply", "--check", str(tmp_path / "x.patch"))
    assert repo.git("status", "--porcelain") == ""


@pytest.mark.parametrize("place", [["--title", "x", "--file", "a.go"], ["--problems", "p.jsonl"], []])
def test_a_number_of_ranked_declarations_needs_a_title_alone(place: list[str]) -> None:
    done = CliRunner().invoke(app, ["generate", "run", "--top", "2", *place])
    assert isinstance(done.exception, UserError)
    assert "for a --title without --file" in str(done.exception)

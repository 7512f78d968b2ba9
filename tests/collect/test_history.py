from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest

from hrm_ray.collect.commits import Commits
from hrm_ray.collect.git import opened
from hrm_ray.collect.history import pull_requests
from hrm_ray.collect.records import PullRequest
from hrm_ray.config import Clean
from tests.collect.licenses.texts import MIT, text
from tests.collect.repository import Repo, git, go


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    return Repo.new(tmp_path / "owner" / "name")


def collected(place: Path | str, most: int = 50, **limits: object) -> tuple[list[PullRequest], Counter[str]]:
    """What a clone gives, newest first, and the drops."""
    drops: Counter[str] = Counter()
    looked: list[int] = []
    settings = Clean.model_validate(limits)
    with opened(str(place), Path("nowhere")) as clone:
        commits = Commits(clone)
        found = list(pull_requests(clone, commits, commits.merged(), most, settings, drops, lambda: looked.append(1)))
    assert len(looked) == len(commits) or len(found) == most
    return found, +drops


def test_a_squash_commit(repo: Repo) -> None:
    base = repo.git("rev-parse", "HEAD")
    message = "Add B to a (#12)\n\nIt was missing.\n\nCo-authored-by: Bob Other <bob@example.org>\n"
    head = repo.commit(message, {"a.go": go("a", "B"), "README": "text"})
    (found,), drops = collected(repo.path)
    assert not drops
    assert (found.repo.full_name, found.repo.license) == ("owner/name", "NOASSERTION")
    request = found.pull_request
    assert (request.number, request.title, request.body) == (12, "Add B to a", "It was missing.")
    assert (request.base_sha, request.head_sha, request.is_bot) == (base, head, False)
    assert request.created_at == request.merged_at == "2023-11-15T00:13:20Z"  # 02:13:20 +0200
    (file,) = found.files
    assert (file.filename, file.status, file.additions, file.deletions) == ("a.go", "modified", 6, 0)
    assert (file.content_before, file.content_after) == (go("a"), go("a", "B"))
    assert file.patch.startswith("@@ -1,2 +1,8 @@\n package a\n \n+func B(a int) int {\n")
    assert file.valid_syntax


def test_a_merge_is_compared_with_where_its_branch_began(repo: Repo) -> None:
    base = repo.git("rev-parse", "HEAD")
    repo.git("checkout", "--quiet", "-b", "topic")
    repo.commit("first step (#3)", {"b.go": go("b", "X")})
    head = repo.commit("second step", {"b.go": go("b", "X", "Y")})
    repo.git("checkout", "--quiet", "main")
    repo.commit("Meanwhile (#8)", {"a.go": go("a", "Elsewhere")})
    repo.merge("topic", "Merge pull request #9 from someone/topic\n\nAdd b\n\nIn two steps.")
    (merge, squash), drops = collected(repo.path)
    assert (merge.pull_request.number, squash.pull_request.number, drops) == (9, 8, {})
    request = merge.pull_request
    assert (request.title, request.body) == ("Add b", "In two steps.")
    assert (request.base_sha, request.head_sha) == (base, head)
    assert request.created_at < request.merged_at
    (file,) = merge.files
    assert (file.filename, file.status, file.content_before) == ("b.go", "added", "")
    assert file.content_after == go("b", "X", "Y")


def test_a_merge_without_a_body_tells_its_branch(repo: Repo) -> None:
    repo.git("checkout", "--quiet", "-b", "topic")
    repo.commit("first step\n\nBecause.", {"b.go": go("b", "X")})
    repo.git("checkout", "--quiet", "main")
    repo.commit("Meanwhile", {"a.go": go("a", "Elsewhere")})
    repo.git("checkout", "--quiet", "topic")
    repo.merge("main", "Merge branch 'main' into topic")
    repo.commit("second step", {"b.go": go("b", "X", "Y")})
    repo.git("checkout", "--quiet", "main")
    repo.merge("topic", "Merge pull request #9 from someone/topic\n\nAdd b")
    ((request, files),) = [(each.pull_request, each.files) for each in collected(repo.path)[0]]
    assert request.body == "* first step\n\nBecause.\n\n* second step"
    assert [file.filename for file in files] == ["b.go"]


def test_a_branch_merged_by_hand_is_entered_and_a_pull_request_is_not(repo: Repo) -> None:
    repo.git("checkout", "--quiet", "-b", "release")
    repo.commit("Fix on the release (#20)", {"r.go": go("r", "R")})
    repo.git("checkout", "--quiet", "-b", "stacked")
    repo.commit("Above it (#21)", {"s.go": go("s", "S")})
    repo.git("checkout", "--quiet", "release")
    repo.merge("stacked", "Merge pull request #22 from x/stacked\n\nStack")
    repo.git("checkout", "--quiet", "main")
    repo.merge("release", "Merge branch 'release'")
    found, _ = collected(repo.path)
    assert [each.pull_request.number for each in found] == [22, 20]


def test_a_conflict_is_settled_in_the_merge_and_not_in_the_pull_request(repo: Repo) -> None:
    base = repo.git("rev-parse", "HEAD")
    repo.git("checkout", "--quiet", "-b", "topic")
    head = repo.commit("Ours", {"a.go": go("a", "Ours")})
    repo.git("checkout", "--quiet", "main")
    repo.commit("Theirs (#1)", {"a.go": go("a", "Theirs")})
    repo.git("read-tree", "-m", "-u", head)
    (repo.path / "a.go").write_text(go("a", "Theirs", "Ours", "AndMore"))
    repo.git("add", "--all")
    tree = repo.git("write-tree")
    repo.git("reset", "--quiet", "--hard")
    repo.git("reset", "--quiet", "--hard", repo.commit_tree(tree, "Merge pull request #2 from x/y\n\nT", "main", head))
    found, _ = collected(repo.path)
    merge = found[0]
    assert (merge.pull_request.base_sha, merge.pull_request.head_sha) == (base, head)
    assert [(file.content_before, file.content_after) for file in merge.files] == [(go("a"), go("a", "Ours"))]


def test_a_revert_undoes_what_it_names(repo: Repo) -> None:
    repo.commit("Grow (#1)", {"a.go": go("a", "B")})
    repo.commit("Lose (#2)", {"a.go": go("a")})
    message = 'Revert "Lose (#2)" (#3)\n\nThis reverts commit 1234.'
    repo.commit(message, {"a.go": go("a", "B")})
    revert = collected(repo.path, leave_out=["bots"])[0][0]
    assert (revert.pull_request.number, revert.pull_request.title) == (3, 'Revert "Lose (#2)"')
    assert [(file.content_before, file.content_after) for file in revert.files] == [(go("a"), go("a", "B"))]


def test_a_rename_has_both_contents(repo: Repo) -> None:
    repo.commit("Grow", {"a.go": go("a", "B", "C", "D")})
    repo.commit("Move a (#4)", {"a.go": None, "x/b.go": go("a", "B", "C", "D", "E")})
    ((file,),) = [each.files for each in collected(repo.path, go_files=[1, 1])[0]]
    assert (file.filename, file.status, file.additions, file.deletions) == ("x/b.go", "renamed", 7, 0)
    assert (file.content_before, file.content_after) == (go("a", "B", "C", "D"), go("a", "B", "C", "D", "E"))


def test_a_mode_and_line_ends_are_no_obstacle(repo: Repo) -> None:
    (repo.path / "a.go").chmod(0o755)
    windows = go("c", "C").replace("\n", "\r\n")
    repo.commit("Change (#4)", {"c.go": windows, "end.go": "package end"})
    files = {file.filename: file for file in collected(repo.path)[0][0].files}
    facts = {name: (file.status, file.additions, file.patch[:14], file.valid_syntax) for name, file in files.items()}
    assert facts == {
        "a.go": ("modified", 0, "", True),
        "c.go": ("added", 8, "@@ -0,0 +1,8 @", True),
        "end.go": ("added", 1, "@@ -0,0 +1 @@\n", True),
    }
    assert files["c.go"].content_after == windows
    assert files["end.go"].patch == "@@ -0,0 +1 @@\n+package end\n\\ No newline at end of file\n"


def test_names_and_lines_that_look_like_a_patch(repo: Repo) -> None:
    name = "x\ndiff --git a/y b/y\n@@ -1 +1 @@\n+y.go"
    content = "package a\n\n// F is\n// ++ more\n/*\n-- less\n@@ -1 +1 @@\ndiff --git a/z b/z\n*/\nfunc F() {}\n"
    repo.commit("Change (#4)", {name: content, 'a "b"\\n.go': go("b", "B"), "ünï.go": go("u", "U")})
    files = {file.filename: file for file in collected(repo.path)[0][0].files}
    assert files.keys() == {name, 'a "b"\\n.go', "ünï.go"}
    assert (files[name].content_after, files[name].additions, files[name].deletions) == (content, 10, 0)
    assert files[name].patch == "@@ -0,0 +1,10 @@\n" + "".join(f"+{line}" for line in content.splitlines(keepends=True))


def test_a_removed_file_and_one_that_does_not_parse(repo: Repo) -> None:
    repo.commit("Break (#5)", {"a.go": None, "b.go": "package b\n\nfunc {\n", "c é.go": go("c", "C")})
    files = {file.filename: file for file in collected(repo.path)[0][0].files}
    assert [(file.status, file.valid_syntax) for _, file in sorted(files.items())] == [
        ("removed", True),
        ("added", False),
        ("added", True),
    ]
    assert (files["a.go"].content_before, files["a.go"].content_after) == (go("a"), "")
    assert "c é.go" in files


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ({"README": "x"}, "pull request without a Go file that a person wrote"),
        ({"vendor/v/v.go": go("v", "V")}, "pull request without a Go file that a person wrote"),
        ({"x/testdata/v.go": go("v", "V"), "api.pb.go": go("v", "V")}, "pull request without a Go file that a person"),
        ({f"f{at}.go": go("f", "F") for at in range(21)}, "pull request with too many Go files"),
        ({"a.go": go("a", *(f"F{at}" for at in range(400)))}, "pull request with too many added lines"),
        ({"a.go": None}, "pull request with too few added lines"),
        ({"bad.go": b"package b\n// \xff\n"}, "pull request with too few Go files"),
        ({b"b\xff.go".decode("utf-8", "surrogateescape"): go("b", "B")}, "file whose name is not UTF-8"),
    ],
)
def test_drops_have_reasons(repo: Repo, files: dict[str, str | bytes | None], reason: str) -> None:
    repo.commit("Change (#6)", files)
    found, drops = collected(repo.path)
    assert not found
    assert any(each.startswith(reason) and count == 1 for each, count in drops.items())


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"package b\n// \xff\n", "file that is not UTF-8"),
        (b"package b\n// \0\n", "file that is not text"),
        (b"// Code generated by hand. DO NOT EDIT.\n\npackage b\n", "generated file"),
        (b"package b\n" + b"// x\n" * 250_000, "file that is too large"),
    ],
)
def test_an_unusable_file_leaves_the_others(repo: Repo, content: bytes, reason: str) -> None:
    repo.commit("Two files (#7)", {"a.go": go("a", "B"), "bad.go": content})
    (found,), drops = collected(repo.path)
    assert [file.filename for file in found.files] == ["a.go"]
    assert drops == {reason: 1}


def test_a_link_named_like_a_go_file(repo: Repo) -> None:
    (repo.path / "link.go").symlink_to("a.go")
    repo.commit("Link (#8)", {"b.go": go("b", "B")})
    assert collected(repo.path) == ([], {"pull request with a link or submodule named like a Go file": 1})


def test_a_submodule_named_like_a_go_file(repo: Repo, tmp_path: Path) -> None:
    other = Repo.new(tmp_path / "other")
    repo.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(other.path), "sub.go")
    repo.commit("Add (#8)", {"b.go": go("b", "B")})
    assert collected(repo.path) == ([], {"pull request with a link or submodule named like a Go file": 1})


def test_bots_by_author_and_by_branch(repo: Repo) -> None:
    repo.commit("Bump x (#1)", {"b.go": go("b", "B")}, author="dependabot[bot] <1+dependabot[bot]@users.example>")
    repo.git("checkout", "--quiet", "-b", "topic")
    repo.commit("Bump", {"c.go": go("c", "C")})
    repo.git("checkout", "--quiet", "main")
    repo.merge("topic", "Merge pull request #2 from o/dependabot/go_modules/x\n\nBump y")
    assert collected(repo.path) == ([], {"pull request of a bot": 2})


def test_kinds_that_are_left_out(repo: Repo) -> None:
    for at, title in enumerate(('Revert "Grow (#1)"', "Release v1.2.0", "[release-1.1] Fix", "Grow"), start=1):
        repo.commit(f"{title} (#{at})", {"a.go": go("a", f"F{at}")})
    repo.git("checkout", "--quiet", "-b", "topic")
    repo.commit("Fix", {"b.go": go("b", "B")})
    repo.git("checkout", "--quiet", "main")
    repo.merge("topic", "Merge pull request #9 from o/cherry-pick-8-to-release-1.1\n\nFix")
    found, drops = collected(repo.path)
    assert [each.pull_request.number for each in found] == [4]
    assert drops == {
        "pull request that reverts another": 1,
        "pull request that makes a release": 1,
        "backport of a pull request": 2,
    }
    assert len(collected(repo.path, leave_out=[])[0]) == 5


def test_a_bot_may_be_kept(repo: Repo) -> None:
    repo.commit("Add B (#1)", {"b.go": go("b", "B")}, author="renovate[bot] <1+renovate[bot]@users.example>")
    ((found,), drops) = collected(repo.path, leave_out=[])
    assert found.pull_request.is_bot
    assert not drops


def test_the_newest_are_taken_and_a_number_counts_once(repo: Repo) -> None:
    for at, number in enumerate((1, 2, 3, 3)):
        repo.commit(f"Change {at} (#{number})", {"a.go": go("a", f"F{at}")})
    found, drops = collected(repo.path, most=2)
    assert [each.pull_request.title for each in found] == ["Change 2", "Change 1"]
    assert drops == {"pull request that an older commit names too": 1}


def test_a_number_that_was_dropped_does_not_hide_a_newer_commit(repo: Repo) -> None:
    repo.commit("Tell of it (#5)", {"CHANGELOG": "grew"})
    head = repo.commit("Grow (#5)", {"a.go": go("a", "B")})
    found, drops = collected(repo.path)
    assert [each.pull_request.head_sha for each in found] == [head]
    assert drops == {"pull request without a Go file that a person wrote": 1}


def test_a_message_in_another_encoding(repo: Repo) -> None:
    repo.git("config", "i18n.commitEncoding", "ISO-8859-1")
    message = os.fsdecode("Größer (#5)\n\nFür dich.".encode("latin-1"))
    repo.commit(message, {"a.go": go("a", "B")})
    repo.git("config", "i18n.commitEncoding", "no-such-encoding")
    repo.commit(os.fsdecode(b"Gr\xf6\xdfer (#6)"), {"a.go": go("a", "B", "C")})
    odd, latin = (each.pull_request for each in collected(repo.path)[0])
    assert (latin.title, latin.body) == ("Größer", "Für dich.")
    assert odd.title == "Gr\ufffd\ufffder"


def test_a_pull_request_without_a_title(repo: Repo) -> None:
    repo.commit("ann@example.org (#5)", {"a.go": go("a", "B")})
    assert collected(repo.path) == ([], {"pull request without a title": 1})


def test_the_order_of_packs_and_the_commit_graph_change_nothing(repo: Repo) -> None:
    for number in range(1, 5):
        repo.git("checkout", "--quiet", "-b", f"topic{number}", f"HEAD~{number // 2}")
        repo.commit(f"Step {number}", {f"f{number}.go": go("f", f"F{number}")})
        repo.git("checkout", "--quiet", "main")
        repo.merge(f"topic{number}", f"Merge pull request #{number} from x/topic{number}\n\nT{number}")
    loose = collected(repo.path)
    repo.git("gc", "--quiet")
    repo.git("commit-graph", "write", "--reachable")
    assert collected(repo.path) == loose
    assert [each.pull_request.number for each in loose[0]] == [4, 3, 2, 1]


def test_a_partial_clone_drops_what_it_lacks_and_fetches_nothing(repo: Repo, tmp_path: Path) -> None:
    repo.commit("Grow (#1)", {"a.go": go("a", "B")})
    repo.commit("Grow more (#2)", {"a.go": go("a", "B", "C"), "LICENSE": "MIT License"})
    repo.git("config", "uploadpack.allowFilter", "true")
    place = tmp_path / "partial"
    git(tmp_path, "clone", "--quiet", "--no-checkout", "--filter=blob:none", f"file://{repo.path}", str(place))
    objects = sorted((place / ".git" / "objects").rglob("*"))
    assert collected(place) == ([], {"pull request with a file whose content is not in the clone": 2})
    assert sorted((place / ".git" / "objects").rglob("*")) == objects


def test_a_lost_object_costs_only_the_pull_requests_that_need_it(repo: Repo) -> None:
    for number in (1, 2, 3):
        repo.commit(f"Change {number} (#{number})", {f"f{number}.go": go("f", "F" * number)})
    oid = repo.git("rev-parse", "HEAD:f2.go")
    (repo.path / ".git" / "objects" / oid[:2] / oid[2:]).unlink()
    found, drops = collected(repo.path)
    assert [each.pull_request.number for each in found] == [3, 1]
    assert drops == {"pull request with a file whose content is not in the clone": 1}


def test_a_shallow_clone_gives_what_it_holds(repo: Repo, tmp_path: Path) -> None:
    for number in (1, 2, 3):
        repo.commit(f"Change {number} (#{number})", {"a.go": go("a", "F" * number)})
    git(tmp_path, "clone", "--quiet", "--depth=2", f"file://{repo.path}", str(tmp_path / "shallow"))
    found, drops = collected(tmp_path / "shallow")
    assert [each.pull_request.number for each in found] == [3]
    assert drops == {"pull request whose base is not in the clone": 1}


def test_the_configuration_of_a_clone_changes_nothing(repo: Repo, monkeypatch: pytest.MonkeyPatch) -> None:
    repo.commit("Grow (#1)", {"a.go": go("a", "B"), ".gitattributes": "*.go diff=evil\n"})
    plain = collected(repo.path)
    evil = repo.path / "evil.sh"
    evil.write_text(f"#!/bin/sh\ntouch {repo.path}/ran\ncat $1\n")
    evil.chmod(0o755)
    for key in ("diff.external", "diff.evil.textconv", "core.fsmonitor", "gpg.program", "core.pager"):
        repo.git("config", key, str(evil))
    for key in ("diff.noprefix", "log.showSignature"):
        repo.git("config", key, "true")
    repo.git("config", "diff.context", "0")
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", str(evil))
    assert collected(repo.path) == plain
    assert not (repo.path / "ran").exists()


def test_the_attributes_of_the_user_change_nothing(repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo.commit("Grow (#1)", {"a.go": go("a", "B"), "b.go": go("b", *"CDEFGHIJKL")})
    repo.commit("Grow (#2)", {"b.go": go("b", *"CDEFGHXJKL")})
    plain = collected(repo.path)
    config, template = tmp_path / "home" / ".config" / "git", tmp_path / "template" / "info"
    for folder in (config, template):
        folder.mkdir(parents=True)
        (folder / "attributes").write_text("*.go -diff\n")
    (tmp_path / "home" / ".gitconfig").write_text(f"[init]\n\ttemplateDir = {template.parent}\n")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    assert collected(repo.path) == plain


def test_no_person_is_in_a_record(repo: Repo) -> None:
    message = (
        "Thanks ann@example.org (#1)\n\nSigned-off-by: Ann Example <ann@example.org>\nReported-By: Bob\n\nSee why."
        "\n\nAnn Example and @ann knew, says Cy Other."
    )
    repo.commit("By another", {"README": "x"}, author="Cy Other <cy@example.org>")
    repo.commit(message, {"a.go": go("a", "B")})
    (found,), _ = collected(repo.path)
    assert (found.pull_request.title, found.pull_request.body) == ("Thanks", "See why.\n\n and @user knew, says.")
    assert not any(word in repr(found) for word in ("Ann", "ann", "example.org", "Bob", "Cy"))


SERVER: dict[str, str | bytes | None] = {
    "LICENSE": MIT,
    "server/LICENSE": text("AGPL-3.0"),
    "server/a.go": go("s", "S"),
    "a.go": go("a", "A"),
}


def test_files_under_a_licence_of_their_own_are_left_out_and_counted(repo: Repo) -> None:
    repo.commit("Begin", SERVER | {"own.go": f"// SPDX-License-Identifier: BUSL-1.1\n\n{go('a', 'O')}"})
    repo.commit(
        "Change (#1)",
        {
            "a.go": go("a", "A", "B"),
            "server/a.go": go("s", "S", "T"),
            "own.go": f"// SPDX-License-Identifier: BUSL-1.1\n\n{go('a', 'O', 'P')}",
            "lib.go": f"// SPDX-License-Identifier: ISC\n\n{go('a', 'L')}",
        },
    )
    (found,), drops = collected(repo.path)
    assert {file.filename: file.license for file in found.files} == {"a.go": "", "lib.go": "ISC"}
    assert drops == {"file under AGPL-3.0": 1, "file under BUSL-1.1": 1}
    (everything,), drops = collected(repo.path, licenses="any")
    assert len(everything.files) == 4
    assert not drops


def test_a_file_that_moves_keeps_the_licence_of_where_it_was(repo: Repo) -> None:
    repo.commit("Begin", SERVER)
    repo.commit("Move (#1)", {"server/a.go": None, "moved.go": go("s", "S", "T")})
    found, drops = collected(repo.path)
    assert not found
    assert drops["file under AGPL-3.0"] == 1

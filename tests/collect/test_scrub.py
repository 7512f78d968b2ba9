from __future__ import annotations

import difflib
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hrm_ray.collect.records import ChangedFile, Issue, PullRequest, Repository, Request
from hrm_ray.collect.scrub import SPOKEN, scrubbed, scrubbed_texts
from hrm_ray.golang.syntax import parse_file_ok
from tests.collect.planted import planted, private_key

NAMES = sorted(planted(0))
GO = "package a\n\n// F is %s\nfunc F() string {\n\treturn `%s`\n}\n"


def changed(before: str, after: str) -> ChangedFile:
    """A modified file with the patch that `diff -u` makes of it."""
    lines = difflib.unified_diff(before.splitlines(keepends=True), after.splitlines(keepends=True))
    return ChangedFile("a.go", "modified", 1, 1, "".join(list(lines)[2:]), before, after, True)


def pull_request(*files: ChangedFile, **said: object) -> PullRequest:
    request = Request(1, "Add F", "", "", "", "b", "h", is_bot=False)
    return PullRequest(Repository("o/n", "MIT"), replace(request, **said), files)  # type: ignore[arg-type]


def scrubbed_go(source: str) -> str:
    return scrubbed_texts({"code": source}, {}, Counter())["code"]


def applied(file: ChangedFile) -> str:
    """The file after, as the patch makes it of the file before."""
    lines, result, at = file.content_before.splitlines(keepends=True), list[str](), 0
    for line in file.patch.splitlines(keepends=True):
        if line.startswith("@@"):
            start = int(line.split()[1].lstrip("-").split(",")[0])
            result += lines[at : start - 1]
            at = start - 1
        elif line[0] == "+":
            result.append(line[1:])
        else:
            assert lines[at] == line[1:]
            result += [lines[at]] if line[0] == " " else []
            at += 1
    return "".join(result + lines[at:])


@pytest.mark.parametrize("name", NAMES)
def test_a_secret_goes_from_every_text_and_the_patch_still_applies(name: str) -> None:
    (old, gone), (new, added) = planted(1)[name], planted(2)[name]
    file = changed(GO % ("one", old), GO % ("one", new))
    issue = Issue(2, f"No {new}", new)
    given = pull_request(file, body=f"It was `{old}`.", labels=(new,), issues=(issue,), comments=(f"Use {new}",))
    counts = Counter[str]()
    clean = scrubbed(given, counts)
    assert gone not in repr(clean)
    assert added not in repr(clean)
    (after,) = clean.files
    assert applied(after) == after.content_after
    assert after.content_before != after.content_after
    assert parse_file_ok(after.content_before)
    assert parse_file_ok(after.content_after)
    assert after.content_after.count("\n") == file.content_after.count("\n")
    assert counts.total() >= 2
    assert scrubbed(clean, Counter()) == clean


def test_some_lines_of_a_key_in_a_patch_are_known_from_the_file() -> None:
    lines = private_key(5)
    before = "package a\n\nvar key = `" + "\n".join(lines) + "`\n"
    file = changed(before, before.replace(lines[6], private_key(6)[6]))
    assert lines[0] not in file.patch
    (clean,) = scrubbed(pull_request(file), Counter()).files
    assert not any(line in clean.patch + clean.content_after for line in lines[1:-1])
    assert applied(clean) == clean.content_after


@pytest.mark.parametrize("name", ["bearer authorization", "password in a URL"])
def test_a_secret_that_one_text_gives_away_goes_where_it_stands_alone(name: str) -> None:
    text, secret = planted(7)[name]
    clean = scrubbed(
        pull_request(changed(GO % ("one", "a"), GO % ("one", secret)), body=f"We sent {text} there."), Counter()
    )
    assert secret not in repr(clean)
    (after,) = clean.files
    assert applied(after) == after.content_after


def test_a_password_that_is_a_word_goes_from_its_url_only() -> None:
    url = "postgres://postgres:postgres@db.internal.net/postgres"
    clean = scrubbed(pull_request(changed(GO % ("one", "postgres"), GO % ("postgres", url))), Counter())
    assert "postgres:postgres@" not in repr(clean)
    assert clean.files[0].content_after.count("postgres") == 4


def test_what_only_the_patch_holds_goes_too() -> None:
    text, secret = planted(3)["GitHub token"]
    file = ChangedFile("a.go", "modified", 1, 0, f"@@ -1 +1,2 @@\n package a\n+// {text}\n", "", "", True)
    (clean,) = scrubbed(pull_request(file), Counter()).files
    assert secret not in clean.patch


def test_each_thing_is_counted_once_by_its_kind() -> None:
    text, _ = planted(3)["GitHub token"]
    source = f"package a\n\n// {text} of ann@b.org\n// Author: Ann Other\n"
    counts = Counter[str]()
    body = "Why\n\nSigned-off-by: Ann Other <ann@b.org>"
    clean = scrubbed(pull_request(changed(source, f"{source}\n{source}"), body=body), counts)
    assert counts == {"GitHub token": 1, "e-mail address": 1, "name of an author": 1, SPOKEN: 1}
    assert clean.pull_request.body == "Why"


def test_people_go_from_titles_labels_issues_and_comments() -> None:
    given = pull_request(
        title="Thank @ann-b",
        labels=("bug", "ask @bob", "owner: ann@b.org"),
        issues=(Issue(2, "From @ann-b", "Hi\nReported-by: Ann Other"),),
        comments=("@bob: mail ann@b.org",),
    )
    clean = scrubbed(given, Counter()).pull_request
    assert (clean.title, clean.labels, clean.issues, clean.comments) == (
        "Thank @user",
        ("bug", "ask @user", "owner:"),
        (Issue(2, "From @user", "Hi"),),
        ("@user: mail",),
    )


def test_what_says_nothing_of_people_and_holds_no_secret_is_the_same() -> None:
    given = pull_request(changed(GO % ("one", "a"), GO % ("two", "b")), title=" T", body="A\n\n\n\nB \n")
    counts = Counter[str]()
    assert scrubbed(given, counts) == replace(given, pull_request=replace(given.pull_request, title="T"))
    assert not +counts


@pytest.mark.parametrize(
    ("secret", "code"),
    [
        ("a1b2c3d4e5f6", "func F() int { return 0xa1b2c3d4e5f6 }"),
        ("9f8a7b6c5d4e3p10", "var f = 0x1.9f8a7b6c5d4e3p10"),
        ("token9x8y7z6w5v", 'import "example.org/a/token9x8y7z6w5v"'),
        ("token9x8y7z6w5v", "import (\n\t_ `a/token9x8y7z6w5v`\n)"),
    ],
)
def test_numbers_and_imports_that_hold_a_secret_stay(secret: str, code: str) -> None:
    counts = Counter[str]()
    given = {"code": f"package a\n\n{code}\n\n// token={secret}\n"}
    clean = scrubbed_texts(given, {"doc": f"The token: {secret} is for {code}"}, counts)
    for name, text in clean.items():
        assert code in text, name
        assert secret not in text.replace(code, ""), name
    assert counts == {"password": 1}


def test_a_number_is_no_secret_wherever_it_stands() -> None:
    source = 'package a\n\nconst token = 0x9f8a7b6c5d4e3f21\n\nvar s = "token=0x9f8a7b6c5d4e3f21"\n'
    counts = Counter[str]()
    assert scrubbed_texts({"code": source}, {}, counts) == {"code": source}
    assert not +counts


def test_a_name_that_is_a_secret_changes_everywhere() -> None:
    clean = scrubbed_go('package a\n\nvar a1Kq83ksLq02m = f("password=a1Kq83ksLq02m")\n')
    assert "a1Kq83ksLq02m" not in clean
    assert parse_file_ok(clean)


def test_a_token_that_is_the_user_of_a_url_goes_with_its_password() -> None:
    (one, user), (other, password) = (planted(seed)["GitHub token"] for seed in (1, 2))
    clean = scrubbed_go(GO % ("one", f"https://{one}:{other}@b.org/x"))
    assert user not in clean
    assert password not in clean
    assert "b.org/x" in clean


@pytest.mark.timeout(20)
def test_time_grows_with_the_text_and_not_with_what_is_found_in_it() -> None:
    """Text by text it would be minutes."""
    lines = "".join(f'\t"person{at}.name@company{at % 97}.io",\n' for at in range(40_000))
    clean = scrubbed_go(f"package a\n\nvar all = []string{{\n{lines}}}\n")
    assert "@company" not in clean


@pytest.mark.timeout(60)
def test_a_file_that_is_nothing_but_keys_takes_seconds() -> None:
    source = "package a\n\nvar keys = `" + "\n".join(line for seed in range(400) for line in private_key(seed)) + "`\n"
    clean = scrubbed_go(source)
    assert not any(line in clean for line in private_key(7)[1:-1])


PIECES = st.sampled_from(
    [
        "ann@b.org",
        "git@b.org:x",
        "password: ",
        "token=",
        "x",
        " ",
        "`",
        '"',
        "a1B2",
        "-----BEGIN PRIVATE KEY-----\n",
        "7/",
    ]
    + [text for text, _ in planted(4).values()]
)


@settings(deadline=None)
@given(st.lists(PIECES, max_size=8).map("".join))
def test_valid_go_stays_valid_and_keeps_its_lines(text: str) -> None:
    source = GO % (text.replace("\n", " "), text.replace("`", "'"))
    clean = scrubbed_go(source)
    assert parse_file_ok(source)
    assert parse_file_ok(clean)
    assert clean.count("\n") == source.count("\n")


@settings(deadline=None)
@given(st.lists(PIECES, max_size=8).map(" ".join))
def test_a_second_scrub_changes_nothing(text: str) -> None:
    source = GO % (text.replace("\n", " "), text.replace("`", "'"))
    clean = scrubbed_go(source)
    assert scrubbed_go(clean) == clean

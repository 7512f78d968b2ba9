"""Imports after a change, in every form that a file may have."""

from __future__ import annotations

import pytest

from hrm_ray.patch.imports import Mended, mend
from hrm_ray.patch.packages import Packages
from tests.patch.conftest import SHOP

BODY = "\nfunc F() {\n%s}\n"


def mended(head: str, old: str, new: str, packages: Packages) -> tuple[str, Mended]:
    """The head of the file after the change, and the whole."""
    given = f"package shop\n{head}\n" if head else "package shop\n"
    made = mend(given + BODY % old, given + BODY % new, "shop.go", packages)
    assert made.source.startswith("package shop\n")
    assert made.source.endswith(BODY % new)
    return made.source.removeprefix("package shop\n").removesuffix(BODY % new).removesuffix("\n"), made


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", '\nimport "strconv"'),
        ('\nimport "os"', '\nimport (\n\t"os"\n\t"strconv"\n)'),
        ('\nimport "x.org/a"', '\nimport (\n\t"strconv"\n\n\t"x.org/a"\n)'),
        ('\nimport (\n\t"fmt"\n\t"time"\n)', '\nimport (\n\t"fmt"\n\t"strconv"\n\t"time"\n)'),
        ('\nimport (\n\t"time" // so\n)', '\nimport (\n\t"strconv"\n\t"time" // so\n)'),
        ('\nimport (\n\t"fmt" // so\n\n\t"x.org/a"\n)', '\nimport (\n\t"fmt" // so\n\t"strconv"\n\n\t"x.org/a"\n)'),
        ('\nimport "C"', '\nimport "strconv"\n\nimport "C"'),
        ('\nimport ("fmt"; "time")', '\nimport (\n\t"fmt"\n\t"strconv"\n\t"time"\n)'),
        ("\nimport ()", '\nimport "strconv"'),
    ],
)
def test_one_comes_in(packages: Packages, before: str, after: str) -> None:
    head, made = mended(before, "", "\tstrconv.Itoa(1)\n", packages)
    assert head == after
    assert (made.added, made.removed, made.unresolved) == (("strconv",), (), ())


def test_one_of_another_host_gets_a_group(packages: Packages) -> None:
    head, _ = mended('\nimport (\n\t"fmt"\n)', "", "\tmoney.Parse(``)\n", packages)
    assert head == '\nimport (\n\t"fmt"\n\n\t"example.com/shop/money"\n)'


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('\nimport "fmt"', ""),
        ('\nimport (\n\t"fmt"\n)', ""),
        ('\nimport (\n\t"fmt" // so\n\t"os"\n)', '\nimport (\n\t"os"\n)'),
        ('\nimport (\n\t"fmt"\n\n\t"x.org/a"\n)', '\nimport (\n\t"x.org/a"\n)'),
        ('\nimport (\n\t"x.org/a"\n\n\t"fmt"\n)', '\nimport (\n\t"x.org/a"\n)'),
        ('\nimport (\n\t"os"\n\n\t"fmt"\n\n\t"x.org/a"\n)', '\nimport (\n\t"os"\n\n\t"x.org/a"\n)'),
        ('\nimport ("fmt"; "os")', '\nimport (\n\t"os"\n)'),
        ('\nimport (\n\tfmt "other/print"\n\t_ "x.org/a"\n)', '\nimport (\n\t_ "x.org/a"\n)'),
    ],
)
def test_one_goes(packages: Packages, before: str, after: str) -> None:
    head, made = mended(before, "\tfmt.Println()\n", "", packages)
    assert head == after
    assert len(made.removed) == 1


def test_what_was_wrong_before_stays(packages: Packages) -> None:
    _, made = mended('\nimport "unused"', "\tmissing.F()\n", "\tmissing.G()\n", packages)
    assert (made.added, made.removed, made.unresolved) == ((), (), ())


def test_what_nothing_resolves_is_said(packages: Packages) -> None:
    _, made = mended("", "", "\tfoo.Bar()\n\tjournal.Print()\n\tx := zap.New()\n\tx.Log()\n", packages)
    assert (made.added, made.unresolved) == ((), ("foo", "zap"))  # journal is another file's variable


def test_a_file_that_does_not_parse_stays(packages: Packages) -> None:
    broken = SHOP.replace("fmt.Println(c.lines, c.total)", "strconv.Itoa(")
    assert mend(SHOP, broken, "shop.go", packages) == Mended(broken)


@pytest.mark.parametrize("head", ["", '\nimport "time"', '\nimport (\n\t"fmt"\n\t"os"\n)', '\nimport (\n\t"os"\n)'])
@pytest.mark.parametrize("body", ["\tstrconv.Itoa(1)\n\tmoney.Parse(``)\n", "\ttime.Now()\n", ""])
def test_line_ends_change_nothing_else(packages: Packages, head: str, body: str) -> None:
    before, after = (f"package shop // a shop\n{head}\n{BODY % each}" for each in ("\tos.Exit(1)\n", body))
    crlf = mend(before.replace("\n", "\r\n"), after.replace("\n", "\r\n"), "shop.go", packages)
    assert crlf.source == mend(before, after, "shop.go", packages).source.replace("\n", "\r\n")


def test_lines_that_others_stand_on_stay(packages: Packages) -> None:
    def changed(head: str, old: str, new: str) -> str:
        whole = mend(head + BODY % old, head + BODY % new, "shop.go", packages).source
        assert whole.endswith(BODY % new)
        return whole.removesuffix(BODY % new)

    assert changed('package shop; import "fmt"', "\tfmt.Println()\n", "") == "package shop; "
    given = 'package shop\n\nimport (\n\t"fmt"; "os"\n)\n'
    assert changed(given, "\tfmt.Println()\n", "") == 'package shop\n\nimport (\n\t "os"\n)\n'
    comment = 'package shop // import "example.com/shop"\n'
    assert changed(comment, "", "\tstrconv.Itoa(1)\n") == comment + '\nimport "strconv"\n'


def test_c_stays_without_its_name(packages: Packages) -> None:
    head, made = mended('\n// #cgo LDFLAGS: -lm\nimport "C"', "\tC.sin(1)\n", "", packages)
    assert (head, made.removed) == ('\n// #cgo LDFLAGS: -lm\nimport "C"', ())

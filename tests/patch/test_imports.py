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


def test_line_ends_stay(packages: Packages) -> None:
    before, after = (f"package shop\n{BODY % body}".replace("\n", "\r\n") for body in ("", "\tstrconv.Itoa(1)\n"))
    source = mend(before, after, "shop.go", packages).source
    assert source.count("\r\n") == source.count("\n")

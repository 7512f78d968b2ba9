from __future__ import annotations

import pytest

from hrm_ray.collect.personal import find


def without(text: str) -> str:
    for found in find(text):
        text = text.replace(found.text, found.placeholder)
    return text


@pytest.mark.parametrize(
    "source",
    [
        "// Copyright (c) 2015 Ann Other <ann.other@mail.co.uk>",
        'x := "ann.other@mail.co.uk"',
        'x := "Mail\\nann.other@mail.co.uk"',
        "x := `mailto:ann.other@mail.co.uk?subject=x`",
        '`json:"a" example:"ann.other@mail.co.uk"`',
        "/* by ann.other@mail.co.uk. */",
    ],
)
def test_addresses_in_comments_and_strings_are_replaced(source: str) -> None:
    clean = without(source)
    (placeholder,) = {found.placeholder for found in find(source)}
    assert placeholder.endswith("@example.com")
    assert clean == source.replace("ann.other@mail.co.uk", placeholder)
    assert not list(find(clean))


def test_an_address_has_one_placeholder_and_two_have_two() -> None:
    one, other, again = (found.placeholder for found in find("ann@a.org, bob@a.org, ann@a.org"))
    assert one == again != other


@pytest.mark.parametrize(
    "source",
    [
        'x := "user@example.com, user@mail.example.org, a@b.test, root@localhost"',
        'x := "git@github.com:owner/name.git"',
        'x := "git@acme.org:gist/ID.git"',
        'x := "noreply@github.com and no-reply@a.org"',
        'x := "ssh://ann@host.net/x and https://ann:pa@host.net"',
        "// go get golang.org/x/tools@v0.1.2-pre.beta",
        "// uses docker/library/alpine@latest.stable",
        'x := "main@foo.go:42"',
        'type T struct { A int `json:"@type" xml:"@a.b"` }',
        "// @Param id path int true",
        'q := "SELECT * FROM t WHERE a = @name"',
        "x := '@'",
        "// resign@go.etcd(it)",
    ],
)
def test_what_is_no_address_of_a_person_stays(source: str) -> None:
    assert not list(find(source))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("// Author: Ann Other", "// Author: someone"),
        ("// author: Émile Öst-Maier\nx", "// author: someone\nx"),
        (" * @author Ann B. Other", " * @author someone"),
        ("//Written by: Ann Other and", "//Written by: someone and"),
        ("x := 1 // Maintainer: @ann-other", "x := 1 // Maintainer: someone"),
        ("// Authors: Ann Other <ann@b.org>", "// Authors: someone <"),
    ],
)
def test_authors_in_comments_are_no_one(source: str, expected: str) -> None:
    assert without(source).startswith(expected)


@pytest.mark.parametrize(
    "source",
    [
        "// Copyright 2015 Matthew Holt and The Caddy Authors",
        "// Author represents someone who has contributed.",
        'Author: "Ann Other",',
        "\tAuthor: Ann,",
        "// Authors: see the file of that name",
        '//\tlogger.Info("authors: ", zap.Objects("authors", authors))',
    ],
)
def test_authors_elsewhere_stay(source: str) -> None:
    assert not list(find(source))


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "source", ["a@" * 100_000, "a." * 100_000 + "@b", "@a-" * 70_000, "// Author: " + "A " * 100_000]
)
def test_no_line_takes_quadratic_time(source: str) -> None:
    assert len(list(find(source))) <= 1

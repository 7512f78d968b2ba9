from __future__ import annotations

from hrm_ray.collect.synthetic.layout import tidy

UNTIDY = """package a

import "os"

const (
	x = 1
	longer = 2
)

type T struct {
	a int
	// note ends the section
	longName string
	b time.Duration
}

func f() *T {
	fmt.Println("strings.ToLower")
	return &T{
		a: x,
		longName: "y",
	}
}
"""

TIDY = """package a

import (
	"fmt"
	"time"
)

const (
	x      = 1
	longer = 2
)

type T struct {
	a int
	// note ends the section
	longName string
	b        time.Duration
}

func f() *T {
	fmt.Println("strings.ToLower")
	return &T{
		a:        x,
		longName: "y",
	}
}
"""


def test_imports_are_those_used_and_columns_are_aligned() -> None:
    assert tidy(UNTIDY) == TIDY
    assert tidy(TIDY) == TIDY


def test_an_import_block_comes_and_goes() -> None:
    bare = "package a\n\nfunc f() int {\n\treturn 1\n}\n"
    one = bare.replace("1", 'len(strings.ToLower("A"))')
    with_import = one.replace("package a\n", 'package a\n\nimport "strings"\n')
    assert tidy(bare) == bare
    assert tidy(one) == with_import
    assert tidy(with_import.replace('strings.ToLower("A")', '"A"')) == bare.replace("1", 'len("A")')

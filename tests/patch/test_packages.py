"""What a package name stands for in a tree."""

from __future__ import annotations

import pytest

from hrm_ray.golang.toolchain import Toolchain
from hrm_ray.patch.modules import Spec
from hrm_ray.patch.packages import Packages, assumed_name
from hrm_ray.patch.tree import WorkingTree
from tests.collect.repository import Repo


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("fmt", "fmt"),
        ("math/rand/v2", "rand"),
        ("gopkg.in/yaml.v3", "yaml"),
        ("github.com/mattn/go-sqlite3", "sqlite3"),
        ("v2", "v2"),
    ],
)
def test_the_name_that_a_path_suggests(path: str, name: str) -> None:
    assert assumed_name(path) == name


def test_the_name_of_a_package_that_can_be_read(repo: Repo) -> None:
    repo.commit("Rename", {"money/money.go": "package cash\n", "money/generate.go": "package main\n"})
    packages = Packages(WorkingTree(repo.path), None)
    assert packages.name(Spec("example.com/shop/money")) == "cash"
    assert packages.name(Spec("example.com/shop/money", "m")) == "m"
    assert packages.name(Spec("example.org/tax")) == "tax"
    assert packages.name(Spec("example.net/go-other")) == "other"


@pytest.mark.parametrize(
    ("name", "selected", "path", "spec"),
    [
        ("strconv", {"Atoi"}, "shop.go", Spec("strconv")),  # another file imports it
        ("stdlog", {"Print"}, "shop.go", Spec("log", "stdlog")),  # under the name that the repository gives it
        ("money", {"Parse"}, "log.go", Spec("example.com/shop/money")),
        ("money", {"Unknown"}, "log.go", None),
        ("audit", {"Check"}, "shop.go", None),  # in a circle
        ("audit", {"Check"}, "money/money.go", None),  # in a longer one
        ("shop", {"Show"}, "shop.go", None),  # itself
        ("shop", {"Show"}, "outside_test.go", Spec("example.com/shop")),  # package shop_test
        ("leaf", {"X"}, "audit/audit.go", Spec("example.com/shop/leaf")),
        ("audit", {"Check"}, "leaf/leaf.go", None),  # in a circle that an import for its effect closes
        ("money", {"Parse"}, "leaf/leaf.go", Spec("example.com/shop/money")),
        ("audit", {"Check"}, "cmd/main.go", Spec("example.com/shop/audit")),
        ("hidden", {"X"}, "cmd/main.go", None),  # internal to others
        ("hidden", {"X"}, "audit/audit.go", Spec("example.com/shop/audit/internal/hidden")),
        ("uuid", {"New"}, "shop.go", Spec("github.com/acme/uuid")),  # required, not seen
        ("sys", {"X"}, "shop.go", None),  # required by others only
    ],
)
def test_what_the_tree_resolves(repo: Repo, name: str, selected: set[str], path: str, spec: Spec | None) -> None:
    repo.commit(
        "More",
        {
            "go.mod": "module example.com/shop\n\nrequire (\n\tgithub.com/acme/uuid v1.0.0\n"
            "\tgolang.org/x/sys v0.1.0 // indirect\n)\n",
            "money/money.go": 'package money\n\nimport "strconv"\n\nfunc Parse() { strconv.Atoi("") }\n',
            "outside_test.go": "package shop_test\n",
            "leaf/leaf.go": "package leaf\n\nvar X = 1\n",
            "use.go": 'package shop\n\nimport _ "example.com/shop/leaf"\n',
            "cmd/main.go": "package main\n",
            "audit/internal/hidden/h.go": "package hidden\n\nvar X = 1\n",
        },
    )
    assert Packages(WorkingTree(repo.path), None).find(name, selected, path) == spec


def test_the_standard_library_is_told_by_what_is_selected(tree: WorkingTree, go: Toolchain) -> None:
    packages = Packages(tree, go)
    assert packages.find("rand", {"Intn"}, "shop.go") == Spec("math/rand")
    assert packages.find("rand", {"Reader"}, "shop.go") == Spec("crypto/rand")
    assert packages.find("rand", {"Nothing"}, "shop.go") is None
    assert packages.find("errors", {"New"}, "shop.go") == Spec("errors")


def test_what_the_package_declares_elsewhere(repo: Repo) -> None:
    repo.commit("Test", {"outside_test.go": "package shop_test\n\nvar other = 1\n"})
    packages = Packages(WorkingTree(repo.path), None)
    assert packages.declared_beside("shop.go") == {"journal"}
    assert packages.declared_beside("outside_test.go") == set()


def test_a_file_that_is_not_text_costs_the_others_nothing(repo: Repo) -> None:
    repo.commit("Latin", {"latin.go": b'package shop\n\nvar x = "\xe4"\n', "testdata/go.mod": b"module \xe4\n"})
    packages = Packages(WorkingTree(repo.path), None)
    assert packages.find("strconv", {"Atoi"}, "shop.go") == Spec("strconv")
    assert packages.find("money", {"Parse"}, "log.go") == Spec("example.com/shop/money")


def test_the_package_of_a_new_file(repo: Repo) -> None:
    repo.commit("Test", {"outside_test.go": "package shop_test\n"})
    packages = Packages(WorkingTree(repo.path), None)
    assert packages.package("new.go") == "shop"
    assert packages.package("new_test.go") == "shop_test"
    assert packages.package("re-ceipt/new.go") == "receipt"

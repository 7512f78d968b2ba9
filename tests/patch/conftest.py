"""A small Go module in a git working tree, and an untrained network that writes for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from hrm_ray import settings
from hrm_ray.config import Config
from hrm_ray.evaluate.opened import Network
from hrm_ray.golang.syntax import validate
from hrm_ray.model.hrm import HRM
from hrm_ray.patch import batch, command, writer
from hrm_ray.patch.packages import Packages
from hrm_ray.patch.tree import WorkingTree
from hrm_ray.prepare.plan import kinds_of
from hrm_ray.prepare.tokenizer import Tokenizer
from hrm_ray.train.engine import PlainEngine
from tests.collect.repository import Repo

SHOP = """package shop

import (
	"fmt"
	"strings"

	"example.com/shop/money"
)

// Cart holds lines.
type Cart struct {
	lines []string
	total money.Cents
}

// Add appends a line.
func (c *Cart) Add(line string, price money.Cents) {
	c.lines = append(c.lines, strings.TrimSpace(line))
	c.total += price
}

const (
	small = 1
	large = 2
)

// Show prints the cart.
func Show(c *Cart) {
	fmt.Println(c.lines, c.total)
}
"""

FILES = {
    "go.mod": "module example.com/shop\n\ngo 1.24\n",
    "shop.go": SHOP,
    "log.go": 'package shop\n\nimport stdlog "log"\n\nvar journal = stdlog.Default()\n',
    "money/money.go": 'package money\n\nimport "strconv"\n\ntype Cents int\n\n'
    "func Parse(text string) (Cents, error) {\n\tn, err := strconv.Atoi(text)\n\treturn Cents(n), err\n}\n",
    "audit/audit.go": 'package audit\n\nimport "example.com/shop"\n\nfunc Check(c *shop.Cart) {}\n',
    "vendor/example.org/tax/tax.go": "package tax\n\nfunc Rate() int { return 7 }\n",
}


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    made = Repo.new(tmp_path / "shop")
    made.commit("Shop", {"a.go": None, **FILES})
    return made


@pytest.fixture
def tree(repo: Repo) -> WorkingTree:
    return WorkingTree(repo.path)


@pytest.fixture
def packages(tree: WorkingTree) -> Packages:
    return Packages(tree, None)


Written = dict[str, tuple[str, str]]
"""Plan and code by declaration."""


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch, network: Network) -> Written:
    """The plans and code that the network of the run is made to write."""
    texts: Written = {}
    for caller in (command, batch):
        monkeypatch.setattr(caller, "opened", lambda run_dir, overrides: network)
    honest = writer._proposals

    def replaced(network: Network, tasks: Any) -> list[writer.Proposal]:
        made = []
        for one in honest(network, tasks):
            name = one.target.declaration.name if one.target.declaration else ""
            plan, code = texts.get(name, ("", ""))
            made.append(writer.Proposal(one.target, plan, code, True, validate(code, kinds_of(plan)), one.decision))
        return made

    monkeypatch.setattr(writer, "_proposals", replaced)
    return texts


@pytest.fixture(scope="session")
def go_cache(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Where Go keeps what it compiled, for all tests of a session: the standard library takes half a minute."""
    return str(tmp_path_factory.getbasetemp() / "cache")


@pytest.fixture(scope="session")
def network() -> Network:
    """An untrained network of a few thousand parameters."""
    shape = {"hidden": 32, "layers": 2, "heads": 4, "intermediate": 48}
    budget = {"max_plan_tokens": 8, "max_code_tokens": 16, "batch": 2}
    given = {"name": "t", "data": "none", "model": shape, "evaluate": budget, "prepare": {"window": 512}}
    config: Config = settings.parse(given, "test")
    tokenizer = Tokenizer.train([*FILES.values()] * 3, 530)
    torch.manual_seed(0)
    engine = PlainEngine(HRM(config.model, tokenizer.vocab_size), config.train)
    return Network(Path("none"), config, engine, 7, tokenizer)

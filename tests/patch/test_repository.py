"""From what was written to one patch."""

from __future__ import annotations

from hrm_ray.patch.repository import Repository
from hrm_ray.patch.target import locate
from hrm_ray.patch.writer import Proposal
from tests.collect.repository import Repo

BROKEN = "func Show(c *Cart) {\n\tgo c\n}"


def test_a_file_that_would_no_longer_parse_is_left_out_of_the_patch(repo: Repo) -> None:
    repository = Repository(repo.path)
    targets = [locate(repository.tree, "shop.go", "Show", add=False), locate(repository.tree, "log.go", "", add=True)]
    codes = [BROKEN, "func (c *Cart) Log[T any](x T) { journal.Print(new(x)) }"]  # as if a validator took both
    outcome = repository.outcome(
        [Proposal(target, "", code, True, None, "DONE") for target, code in zip(targets, codes, strict=True)]
    )
    assert [(file.path, bool(file.error)) for file in outcome.edited] == [("log.go", False), ("shop.go", True)]
    assert [line for line in outcome.patch.splitlines() if line.startswith("+++")] == ["+++ b/log.go"]

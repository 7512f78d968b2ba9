"""Changes that are written during training, so that a curve shows whether the Go is valid before `evaluate` is run."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from hrm_ray.config import Config
from hrm_ray.golang.syntax import validate
from hrm_ray.model.generate import Written, generate
from hrm_ray.model.sampling import Sampling
from hrm_ray.prepare import edits
from hrm_ray.prepare.plan import header, kinds_of
from hrm_ray.prepare.tokenizer import Tokenizer
from hrm_ray.train.corpus import SolveDocuments
from hrm_ray.train.engine import Engine


class Writing:
    """The first `train.validation.generations` validation changes, written greedily within `evaluate`'s budgets."""

    def __init__(self, config: Config, solve: SolveDocuments) -> None:
        count = min(config.train.validation.generations, len(solve))
        self.prefixes = [solve.prefix(index).tolist() for index in range(count)]
        self.before = [solve.shards.example(index).before for index in range(count)]
        self.tokenizer = Tokenizer.load(config.data / "tokenizer.json")
        self.headers = [self.tokenizer.encode(header(before)) for before in self.before]
        self.sampling = Sampling(config.evaluate.max_plan_tokens, config.evaluate.max_code_tokens)
        self.rows = config.evaluate.batch

    def measure(self, engine: Engine) -> dict[str, float | None]:
        """Return the shares that are valid Go of the kinds in their own plans, and that ended by themselves.

        Ranks share the changes out. How long one writes is nobody else's concern: each has the whole weights meanwhile.
        """
        if not self.prefixes:
            return {}
        rows = slice(engine.rank, None, engine.world)
        model, mine = engine.whole_model(), self.prefixes[rows]
        begun = self.headers[rows]
        written = generate(model, mine, [0] * len(mine), self.sampling, self.rows, given=begun)
        told = [
            (1, self._valid(one, prefix, before), one.finished, len(one.plan) + len(one.code))
            for one, prefix, before in zip(written, mine, self.before[rows], strict=True)
        ]
        sums = engine.sum(torch.tensor(told, dtype=torch.float64).reshape(-1, 4).sum(0))
        count, valid, finished, tokens = sums.tolist()
        return {
            "valid_share": valid / count,
            "finished_share": finished / count,
            "generated_tokens": tokens / count,
        }

    def _valid(self, written: Written, prefix: Sequence[int], before: str) -> bool:
        plan, code = edits.texts(written.plan, written.code, prefix, before, self.tokenizer)
        return validate(code, kinds_of(plan)) is None

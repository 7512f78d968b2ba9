"""Tokens per second of greedy generation: ours beside `transformers` generate, with the same weights and outputs.

    python benchmarks/generate.py RUN [--batch 1 --batch 16 --batch 64] [--new 96] [--rounds 3]
    python benchmarks/generate.py --size small       (weights as they are drawn)

Prefixes are those of RUN's validation fold, or random ones of such lengths. Every row writes `--new` tokens of code
where the weights do not end it earlier, in ours and theirs alike; what is counted is what was written. Ours is measured
with its guesses (`hrm_ray.model.lookup`) and without: what untrained weights write repeats itself, so that guesses are
worth more than they will be. `transformers` has a dynamic and a static cache, and its own prompt lookup where it has
one (a batch of one). They take turns, ratios are medians over the turns, and CPU time is compared where one thread
works. The limit is what reading all weights and all keys and values once a step takes at the speed of a large copy in
the same run, or their arithmetic at that of a large product: the larger of the two.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer
from rich.console import Console
from rich.table import Table
from torch import Tensor
from train_step import SIZES, matmul_peak, timed

from hrm_ray.config import Model
from hrm_ray.evaluate.opened import open_run
from hrm_ray.model import generate as generation
from hrm_ray.model.hf import config_fields, state_dict
from hrm_ray.model.hrm import HRM
from hrm_ray.model.recurrence import calls
from hrm_ray.model.sampling import Sampling
from hrm_ray.model.size import block_parameters
from hrm_ray.prepare.tokenizer import FIRST_TEXT, Control
from hrm_ray.train.run import read_run

DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
WINDOW = 1024
VOCABULARY = 8192
COPIED = 2**28
"""Bytes of the copy that is timed, beyond any cache."""

Outputs = list[list[int]]


def load(run: Path | None, size: str, count: int, new: int) -> tuple[HRM, list[list[int]]]:
    """Return a network and `count` prefixes that leave room for `new` tokens."""
    if run is not None:
        opened = open_run(run, read_run(run, ["evaluate.split=validation"]))
        everyone = (opened.solve.prefix(index).tolist() for index in range(len(opened.solve)))
        fitting = [prefix for prefix in everyone if len(prefix) < WINDOW - new]
        return opened.engine.model.eval().to(DEVICE), fitting[:count]
    torch.manual_seed(0)
    random = np.random.default_rng(0)
    prefixes = [random.integers(FIRST_TEXT, VOCABULARY, random.integers(150, 450)).tolist() for _ in range(count)]
    return HRM(Model.model_validate(SIZES[size]), VOCABULARY).eval().to(DEVICE), prefixes


class Ours:
    """Our generation, with at most so many guesses a step."""

    def __init__(self, model: HRM, prefixes: Sequence[Sequence[int]], new: int, guesses: int) -> None:
        self.model, self.prefixes, self.guesses = model, prefixes, guesses
        self.sampling = Sampling(max_plan_tokens=0, max_code_tokens=new)
        self.steps = 0

    def __call__(self) -> Outputs:
        """Write."""
        before, original = generation.GUESSES, generation.decode
        self.steps = 0

        def counted(*given: Any) -> Tensor:  # noqa: ANN401
            self.steps += 1
            return original(*given)

        generation.GUESSES, generation.decode = self.guesses, counted
        try:
            count = len(self.prefixes)
            written = generation.generate(self.model, self.prefixes, [0] * count, self.sampling, rows=count)
        finally:
            generation.GUESSES, generation.decode = before, original
        return [one.code for one in written]


class Theirs:
    """`transformers` generate over left-padded prefixes, with more arguments of its own."""

    def __init__(self, model: HRM, prefixes: Sequence[Sequence[int]], new: int, **how: Any) -> None:  # noqa: ANN401
        import transformers

        fields = config_fields(model.config, model.embedding.num_embeddings, WINDOW)
        self.model = transformers.HrmTextForCausalLM(transformers.HrmTextConfig(**fields)).eval()
        self.model.load_state_dict(state_dict(model), strict=False)
        self.model.to(DEVICE)
        self.length = max(map(len, prefixes)) + 2
        shape = (len(prefixes), self.length)
        ids, seen, kinds = (torch.zeros(shape, dtype=torch.int64) for _ in range(3))
        for at, prefix in enumerate(prefixes):
            start = self.length - len(prefix) - 2
            ids[at, start:] = torch.tensor([*prefix, Control.PLAN, Control.CODE])
            seen[at, start:], kinds[at, start:-2] = 1, 1
        given = {"input_ids": ids, "attention_mask": seen, "token_type_ids": kinds}
        self.given = {name: tensor.to(DEVICE) for name, tensor in given.items()}
        limits = {"max_new_tokens": new, "do_sample": False, "pad_token_id": int(Control.PAD)}
        never = [int(control) for control in Control if control != Control.END]
        self.how = limits | {"suppress_tokens": never, "eos_token_id": int(Control.END)} | how

    def __call__(self) -> Outputs:
        """Write."""
        written = self.model.generate(**self.given, **self.how)[:, self.length :].tolist()
        return [row[: row.index(Control.END)] if Control.END in row else row for row in written]


def copy_speed() -> float:
    """Return the bytes a second that a large copy reads and writes."""
    source = torch.empty(COPIED // 4, device=DEVICE).fill_(1.0)
    target = torch.empty_like(source)

    def copy() -> float:
        target.copy_(source)
        return float(target[0])  # reading one number waits for the device

    return 2 * COPIED / min(timed(copy)[1] for _ in range(4))


def limit(model: HRM, prefixes: Sequence[Sequence[int]], new: int) -> float:
    """Return the seconds that a step of one token a row must take, while no row has come to its end."""
    config, rows = model.config, len(prefixes)
    blocks, head = calls(config).blocks(config), model.table.numel()
    held = sum(len(prefix) + new / 2 for prefix in prefixes)
    read = 4 * (blocks * block_parameters(config) + head + blocks * 2 * config.hidden * held)
    flops = 2 * rows * (blocks * block_parameters(config) + head) + 4 * blocks * config.hidden * held
    return max(read / copy_speed(), flops / matmul_peak(DEVICE))


def ways(model: HRM, prefixes: Sequence[Sequence[int]], new: int) -> dict[str, Callable[[], Outputs]]:
    """Return each way to write, by its name."""
    found: dict[str, Callable[[], Outputs]] = {
        "ours": Ours(model, prefixes, new, generation.GUESSES),
        "ours, without guesses": Ours(model, prefixes, new, 0),
        "transformers": Theirs(model, prefixes, new),
        "transformers, static cache": Theirs(model, prefixes, new, cache_implementation="static"),
    }
    if len(prefixes) == 1:
        found["transformers, prompt lookup"] = Theirs(model, prefixes, new, prompt_lookup_num_tokens=generation.GUESSES)
    return found


def measure(model: HRM, prefixes: Sequence[Sequence[int]], new: int, rounds: int) -> Table:
    """Return the table of one batch."""
    found, outputs, turns = ways(model, prefixes, new), dict[str, Outputs](), list[dict[str, float]]()
    for _ in range(rounds + 1):
        turns.append({})
        for name, way in list(found.items()):
            try:
                outputs[name], turns[-1][name] = timed_outputs(way)
            except (ValueError, RuntimeError, TypeError, IndexError) as error:
                Console().print(f"{name}: {type(error).__name__}: {str(error).splitlines()[0]}")
                del found[name]
    title = f"batch {len(prefixes)}, {new} tokens each, {torch.get_num_threads()} thread(s)"
    table = Table("", "tokens/s", "ours is faster by", "rows with our output", title=title)
    least = limit(model, prefixes, new)
    for name in found:
        ratio = statistics.median(turn[name] / turn["ours"] for turn in turns[1:])
        seconds = statistics.median(turn[name] for turn in turns[1:])
        same = sum(a == b for a, b in zip(outputs[name], outputs["ours"], strict=True))
        written = sum(map(len, outputs[name]))
        table.add_row(name, f"{written / seconds:,.1f}", f"{ratio:.2f}", f"{same} of {len(prefixes)}")
    steps = {name: way.steps for name, way in found.items() if isinstance(way, Ours)}
    one_by_one = statistics.median(turn["ours, without guesses"] for turn in turns[1:]) / steps["ours, without guesses"]
    table.caption = f"steps {steps}; of the limit, without guesses: {least / one_by_one:.0%}"
    return table


def timed_outputs(way: Callable[[], Outputs]) -> tuple[Outputs, float]:
    """Return what is written, and its seconds."""
    kept: list[Outputs] = []

    def step() -> float:
        kept.append(way())
        return 0.0

    seconds = timed(step)[1]
    return kept[0], seconds


def main(
    run: Annotated[Path | None, typer.Argument()] = None,
    size: str = "small",
    batch: Annotated[list[int], typer.Option()] = [1, 16, 64],  # noqa: B006
    new: int = 96,
    rounds: int = 3,
    threads: int = 1,
) -> None:
    """Print a table for each batch."""
    torch.set_num_threads(threads)
    for count in batch:
        model, prefixes = load(run, size, count, new)
        Console().print(measure(model, prefixes, new, rounds))


if __name__ == "__main__":
    typer.run(main)

"""Which plan is worth its bits? Trains a network for each kind of plan, measures it on held-out repositories.

    hrm-ray prepare experiments/real-tiny.yaml --set data=data/plan-study --set prepare.window=512
    python benchmarks/plan_study.py experiments/real-tiny.yaml --set data=data/plan-study --set prepare.window=512

Arms: `none` (an empty plan), `title` (the title again), `ours` (as prepared), `short` (its first four steps) and
`shuffled` (the plan of another change of the same fold and kinds, so that only its content is wrong). In the edit form
the plans of modifications begin with their headers in every arm, because it is known at use; `title` is one step over
all lines, and places of `shuffled` that the declaration does not have are its end. Plans of `none` and `title` name no
kind of an addition, so that none of its answers counts as valid or improved. All arms have the
same examples, tokenizer, seed, steps and tokens a step; `--set seed=1` trains other weights on the same folds. The rate
is constant for four fifths of the steps, so the checkpoints on the way serve as smaller budgets; only the last is
decayed. Measured is on the repositories of the validation and judge folds; the test fold is not read. What is there
already is not done again. Prints a Markdown table.
"""

from __future__ import annotations

import json
import re
import shutil
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import compress
from pathlib import Path
from typing import Annotated, Any

import typer

from hrm_ray import settings
from hrm_ray.config import Config
from hrm_ray.evaluate import cache
from hrm_ray.evaluate.losses import code_bits_per_byte_given
from hrm_ray.evaluate.opened import Opened
from hrm_ray.evaluate.statistics import mean, share
from hrm_ray.files import sha256, write_text
from hrm_ray.golang.syntax import validate
from hrm_ray.launch.command import Terminal
from hrm_ray.model.batch import Part
from hrm_ray.prepare import edits
from hrm_ray.prepare.card import CARD
from hrm_ray.prepare.plan import header
from hrm_ray.prepare.shards import TOKENISED, Shards, part_name, write
from hrm_ray.prepare.tokenizer import FIRST_NUMBER, Control, Tokenizer
from hrm_ray.progress import bars, console
from hrm_ray.train import checkpoint, loop
from hrm_ray.train.corpus import JudgeDocuments, SolveDocuments
from hrm_ray.train.engine import PlainEngine
from hrm_ray.train.run import build_model
from hrm_ray.train.validate import solve_losses

ARMS = ("none", "title", "ours", "short", "shuffled")
PARTS = {"train": ("train",), "validation": ("validation", "judge")}
"""Folds of an arm and what they are made of: as long as nothing is judged, the judge fold is held out too."""

SHORT = 4
"""Steps of a short plan."""
Row = dict[str, Any]

COLUMNS = {
    "arm": "arm",
    "steps": "steps",
    "plan bits / plan byte": "plan",
    "plan bits / code byte": "plan_in_code",
    "code bits / byte, true plan": "code",
    "plan + code bits / code byte": "total",
    "code bits / byte, predicted plan": "predicted",
    "code bits / byte, plan skipped": "skipped",
    "edit similarity": "edit_similarity",
    "valid": "valid",
    "improved": "improved",
}


def planned(rows: Sequence[Row], arm: str) -> Iterator[tuple[Row, str]]:
    """Yield each row with its plan in an arm."""
    for row, other in zip(rows, shuffled(rows), strict=True):
        short = "\n".join(row["plan"].split("\n")[: max(SHORT, len(row["kinds"]))])
        none, title = "", row["title"]
        if edits.numbers(row["context_ids"]):
            end = row["before"].count("\n") + 1
            none = header(row["before"])
            title = f"{none}\n@0-{end} {title}"
            other = "\n".join([none, *_within(other, end).split("\n")[len(row["kinds"]) :]])
        yield row, {"none": none, "title": title, "ours": row["plan"], "short": short, "shuffled": other}[arm]


def shuffled(rows: Sequence[Row]) -> list[str]:
    """Pass plans on within each group of rows of equal change and kinds; rows are sorted by a hash already."""
    groups: defaultdict[tuple[Any, ...], list[int]] = defaultdict(list)
    for at, row in enumerate(rows):
        groups[row["change"], tuple(row["kinds"])].append(at)
    alone = [at for group in groups.values() if len(group) == 1 for at in group]
    found = [""] * len(rows)
    for group in [alone, *(group for group in groups.values() if len(group) > 1)]:
        for at, other in zip(group, group[1:] + group[:1], strict=True):
            found[at] = rows[other]["plan"]
    return found


def write_arms(config: Config, root: Path) -> None:
    """Write a dataset for each arm, of those examples that fit the window in every arm."""
    tokenizer = Tokenizer.load(config.data / "tokenizer.json")
    for arm in ARMS:
        shutil.rmtree(root / arm, ignore_errors=True)
        shutil.copytree(config.data / "judgements", root / arm / "judgements")
        shutil.copy(config.data / "tokenizer.json", root / arm)
    for fold, sources in PARTS.items():
        shards = [Shards(config.data / source) for source in sources]
        rows = sorted((one.row(at) for one in shards for at in range(len(one))), key=lambda row: str(row["id"]))
        of_arm = {arm: [row | _columns(row, plan, tokenizer) for row, plan in planned(rows, arm)] for arm in ARMS}
        fits = [max(map(_size, several)) <= config.prepare.window for several in zip(*of_arm.values(), strict=True)]
        console.print(f"{fold}: {sum(fits):,} of {len(rows):,} examples fit the window with every plan")
        for arm, changed in of_arm.items():
            write(root / arm / fold / part_name(0), list(compress(changed, fits)), TOKENISED)
    for arm in ARMS:  # last: what has it is whole
        card = json.loads((config.data / CARD).read_text("utf-8"))
        card["shards"] = {}  # these are other ones
        card["hash"] = sha256(root / arm / "train" / part_name(0))
        card["settings"]["seed"] = config.seed  # of the training alone: the folds stay
        write_text(root / arm / CARD, json.dumps(card))


def _within(plan: str, end: int) -> str:
    """Return a plan with places in a declaration of `end` lines."""
    return re.sub(r"(?m)^@(\d+)-(\d+) ", lambda at: f"@{min(int(at[1]), end)}-{min(int(at[2]), end)} ", plan)


def _columns(row: Row, plan: str, tokenizer: Tokenizer) -> Row:
    numbers = edits.numbers(row["context_ids"])
    ids = edits.encode_plan(plan, numbers.start - FIRST_NUMBER, tokenizer) if numbers else tokenizer.encode(plan)
    return {"plan": plan, "plan_ids": [Control.PLAN, *ids], "plan_bytes": len(plan.encode())}


def _size(row: Row) -> int:
    return sum(len(row[f"{name}_ids"]) for name in ("problem", "context", "plan", "code"))


def measure(config: Config, folder: Path, examples: int, last: bool) -> Row:
    """Measure one checkpoint on the first `examples` held-out changes; write code from the last one only.

    Valid Go of any kind counts: an empty plan and a title name none.
    """
    loaded = checkpoint.load(folder)
    engine = PlainEngine(build_model(config), config.train)
    engine.restore(loaded.weights, {}, loaded.state.step)
    tokens = config.train.micro_rows * config.prepare.window
    split = config.evaluate.split
    solve, judge = SolveDocuments(config.data, split), JudgeDocuments(config.data, split)
    tokenizer = Tokenizer.load(config.data / "tokenizer.json")
    sampled = config.evaluate.model_copy(update={} if last else {"max_code_tokens": 1})
    config = config.model_copy(update={"evaluate": sampled})
    opened = Opened(config.run_dir, config, engine, loaded.state.step, tokenizer, solve, judge, tokens)
    found = cache.attempts(opened, examples, lambda *_: None)
    true, skipped = (solve_losses(engine, [solve.document(a.index, p) for a in found], tokens) for p in (True, False))
    total, code = true.total_bits_per_code_byte(), true.bits_per_byte(Part.CODE)
    return {
        "arm": config.name,
        "steps": loaded.state.step,
        "plan": true.bits_per_byte(Part.PLAN),
        "plan_in_code": None if total is None or code is None else total - code,
        "code": code,
        "total": total,
        "predicted": code_bits_per_byte_given(opened, {a.index: a.written.plan for a in found}),
        "skipped": skipped.bits_per_byte(Part.CODE),
        "edit_similarity": mean([a.edit_similarity for a in found]) if last else None,
        "valid": share([validate(a.code) is None for a in found]) if last else None,
        "improved": share([a.improved for a in found]) if last else None,
    }


def study(config: Config, budgets: Sequence[int], examples: int) -> Iterator[Row]:
    """Train one arm, and measure it at each budget."""
    steps = budgets[-1]
    with bars() as progress:
        loop.train(config, "main", Terminal(progress, config.name))
    for budget in budgets:
        path = config.run_dir / f"study-{budget:08d}.json"
        if not path.exists():
            folder = config.run_dir / "checkpoints" / checkpoint.folder_name(budget)
            write_text(path, json.dumps(measure(config, folder, examples, budget == steps)))
        yield json.loads(path.read_text("utf-8"))


def load(path: Path, given: Sequence[str], steps: int, every: int) -> Config:
    """Return the settings that all arms share: every step goes to plans and code."""
    ours = [
        f"train.max_steps={steps}",
        "train.epochs=1000",
        f"train.checkpoint.every={every}",
        f"train.checkpoint.keep={steps}",
        f"train.validation.every={steps}",
        "train.validation.examples=1",
        "train.workers=0",
        "train.judge_rows=0",
        "train.losses.refinement=0",
        "train.schedule.kind=wsd",
        "train.log.to=[]",
        "baselines=[]",
        "evaluate.split=validation",
    ]
    return settings.load(path, [*ours, *given])


def main(
    experiment: Path,
    given: Annotated[list[str], typer.Option("--set")] = [],  # noqa: B006
    budget: Annotated[list[int], typer.Option(help="Steps; each a multiple of the first.")] = [90, 180, 360],  # noqa: B006
    examples: int = 300,
    arm: Annotated[list[str], typer.Option()] = list(ARMS),  # noqa: B006
) -> None:
    """Run the study and print its table."""
    config = load(experiment, given, budget[-1], budget[0])
    root = config.runs / f"{config.data.name}-arms-{config.seed}"
    if not all((root / name / CARD).exists() for name in ARMS):
        write_arms(config, root)
    rows: list[Row] = []
    for name in arm:
        own = {"name": name, "data": root / name, "runs": root / "runs"}
        rows += study(config.model_copy(update=own), budget, examples)
        console.print(rows[-1])
    lines = [list(COLUMNS), ["---:"] * len(COLUMNS)]
    lines += [[_cell(row[key]) for key in COLUMNS.values()] for row in rows]
    for cells in lines:
        print(f"| {' | '.join(cells)} |")


def _cell(value: str | float | None) -> str:
    return "-" if value is None else f"{value:.4f}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    typer.run(main)

"""What fits a window: fill of the packed rows, drops, and how much of each section is cut, as a Markdown table.

    python benchmarks/windows.py ../shared/data/go_prs_train.parquet [--window 512 --window 1024]

Examples are those of `prepare` before cleaning and before duplicates are taken out. The tokenizer is trained on all of
them: nothing is held out here, because nothing is learnt.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from hrm_ray.collect import records
from hrm_ray.config import Prepare
from hrm_ray.prepare import sections
from hrm_ray.prepare.examples import Example
from hrm_ray.prepare.extract import extract
from hrm_ray.prepare.runs import run_bytes
from hrm_ray.prepare.tokenizer import Tokenizer
from hrm_ray.train.packing import pack_epoch

COLUMNS = ("window", "examples", "dropped", "of added", "of modified", "tokens each", "of them prefix", "fill")


@dataclass
class Fit:
    """What became of the examples of one window; `cut` and `lost` count examples and tokens by section."""

    examples: Counter[str] = field(default_factory=Counter)
    dropped: Counter[str] = field(default_factory=Counter)
    sizes: list[int] = field(default_factory=list)
    prefixes: int = 0
    cut: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)
    whole: Counter[str] = field(default_factory=Counter)

    def add(self, example: Example, tokenizer: Tokenizer, settings: Prepare) -> None:
        """Lay out one example."""
        whole = sections.prefix(example, tokenizer)
        given = sections.shorten(whole, settings.window, settings.budgets)
        columns = sections.solve(example, given, tokenizer, settings.window)
        self.examples[example.change] += 1
        if columns is None:
            self.dropped[example.change] += 1
            return
        self.sizes.append(sections.size(given) + len(columns["plan_ids"]) + len(columns["code_ids"]))
        self.prefixes += sections.size(given)
        for name in sections.SHORTENED:
            before, after = len(whole.get(name, [])), len(given.get(name, []))
            self.whole[name] += before
            self.lost[name] += before - after
            self.cut[name] += after < before

    def row(self, window: int) -> list[str]:
        """Return the cells of the table."""
        total = self.examples.total()
        rows = len(pack_epoch(np.array(self.sizes), window, (0, 0)))
        cuts = [
            f"{self.cut[name] / len(self.sizes):.1%} ({self.lost[name] / max(1, self.whole[name]):.1%})"
            for name in sections.SHORTENED
        ]
        return [
            f"{window}",
            f"{total:,}",
            f"{self.dropped.total():,} ({self.dropped.total() / total:.1%})",
            *(f"{self.dropped[change] / max(1, self.examples[change]):.1%}" for change in ("added", "modified")),
            f"{sum(self.sizes) / len(self.sizes):.0f}",
            f"{self.prefixes / sum(self.sizes):.0%}",
            f"{sum(self.sizes) / (rows * window):.2%}",
            *cuts,
        ]


def examples(source: Path, settings: Prepare) -> Iterator[Example]:
    """Extract what `prepare` would."""
    for pull_request in records.read(source):
        yield from extract(pull_request, settings.max_plan_steps, Counter(), run_bytes(settings.window))


def texts(found: Iterable[Example]) -> set[str]:
    """Return the different texts of the sections."""
    names = ("title", "body", "path", "outline", "before", "anchor", "plan", "code")
    return {getattr(example, name) for example in found for name in names}


def print_table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print Markdown."""
    for cells in (titles, ["---:"] * len(titles), *rows):
        print(f"| {' | '.join(cells)} |")


def main(
    source: Path,
    window: Annotated[list[int], typer.Option()] = [512, 1024, 2048],  # noqa: B006
    vocab_size: int = 4096,
) -> None:
    """Print the table."""
    tokenizer: Tokenizer | None = None
    rows = []
    for size in window:
        settings, fit = Prepare(window=size, vocab_size=vocab_size), Fit()
        found = list(examples(source, settings))
        tokenizer = tokenizer or Tokenizer.train(sorted(texts(found)), settings.vocab_size)
        for example in found:
            fit.add(example, tokenizer, settings)
        rows.append(fit.row(size))
    print_table([*COLUMNS, *(f"{name} cut (of its tokens)" for name in sections.SHORTENED)], rows)


if __name__ == "__main__":
    typer.run(main)

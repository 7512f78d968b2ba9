"""What makes a network read? How soon each form of it copies random tokens, over seeds, as a Markdown table.

    python benchmarks/reading_study.py [--seeds 3] [--steps 100] [--only "H2 L1"]

A document is `before: s | code: s`, s of 12 to 32 random tokens out of 3,952; 2,048 tokens a step, the loss on the
copied text alone. Of one seed all arms see the same documents and have the tiny network (985,216 parameters) but for
what their name says; all passes carry gradient. Shown are the nats (uniform: 8.28) of the 25 steps up to each mark, the
mean over seeds with the lowest and the highest, and the training FLOPs of a token next to those of H2 L1. One thread.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import log
from random import Random
from statistics import fmean
from typing import Any, NamedTuple

import numpy as np
import torch
import typer
from rich.console import Console
from rich.progress import track
from torch import Tensor, nn

from hrm_ray.config import Model
from hrm_ray.model.attention import packed_attention
from hrm_ray.model.batch import Batch, collate
from hrm_ray.model.cross_entropy import linear_cross_entropy
from hrm_ray.model.hrm import HRM
from hrm_ray.model.size import plain_twin, training_flops
from hrm_ray.prepare.tokenizer import FIRST_TEXT
from hrm_ray.train import copying

VOCABULARY = FIRST_TEXT + 3952
TOKENS, PEAK, WARMUP, MARK = 2048, 3e-3, 30, 25


class Arm(NamedTuple):
    """One form of the network and of its training."""

    name: str
    changes: dict[str, Any]
    plain: bool = False
    each_cycle: bool = False
    """The loss is the mean of one read from z_H after every H cycle."""
    drawn: bool = False
    """Each step draws one of `CYCLES`; its nats are those of that step's network."""
    peak: float = PEAK
    tokens: int = TOKENS


CYCLES = [{"h_cycles": h, "l_cycles": low} for h in (1, 2) for low in (1, 2, 3)]
ONE: dict[str, Any] = {"l_cycles": 1}
RANDOM: dict[str, Any] = {"induction": False}
ARMS = (
    Arm("H2 L1", ONE),
    Arm("H2 L1, random start", ONE | RANDOM),
    Arm("H2 L1, random start, loss after each H cycle", ONE | RANDOM, each_cycle=True),
    Arm("H2 L1, loss after each H cycle", ONE, each_cycle=True),
    Arm("H2 L1, two blocks a stack", ONE | {"layers": 2}),
    Arm("H2 L1, untied head", ONE | {"tied": False}),
    Arm("H2 L1, injection", ONE | {"inject": True}),
    Arm("H2 L1, peak 1e-3", ONE, peak=1e-3),
    Arm("H2 L1, four times the batch", ONE, tokens=4 * TOKENS),
    Arm("H1 L1", {"h_cycles": 1, "l_cycles": 1}),
    Arm("H1 L3", {"h_cycles": 1}),
    Arm("H2 L3 (default)", {}),
    Arm("H2 L3, random start", RANDOM),
    Arm("H2 L3, loss after each H cycle", {}, each_cycle=True),
    Arm("H2 L3, 3 of 8 passes with gradient", {"depth": {"min": 3, "max": 3}}),
    Arm("H2 L3, cycles drawn each step", {}, drawn=True),
    Arm("plain, two blocks", ONE, plain=True),
    Arm("plain, two blocks, random start", ONE | RANDOM, plain=True),
)


def main(seeds: int = 3, steps: int = 100, only: str = "") -> None:
    """Train every arm with every seed and print the table."""
    torch.set_num_threads(1)
    marks = range(MARK, steps + 1, MARK)
    print("| | FLOPs | " + " | ".join(f"{mark} steps" for mark in marks) + " |")
    print("|---|---:|" + "---:|" * len(marks), flush=True)
    unit = flops(ARMS[0])
    for arm in ARMS:
        if only not in arm.name:
            continue
        seen = track(range(seeds), arm.name, console=Console(stderr=True), transient=True)
        found = np.array([train(arm, seed, steps) for seed in seen])
        cells = (f"{nats.mean():.2f} ({nats.min():.2f} to {nats.max():.2f})" for nats in found.T)
        print(f"| {arm.name} | {flops(arm) / unit:.2f} | {' | '.join(cells)} |", flush=True)
    print(f"\nA uniform guess: {log(VOCABULARY - FIRST_TEXT):.2f}.")


def model_of(arm: Arm) -> Model:
    """Return the settings of the arm's network."""
    model = Model.model_validate(arm.changes)
    return plain_twin(model, "equal_parameters") if arm.plain else model


def flops(arm: Arm) -> float:
    """Return the training FLOPs of a step of `TOKENS` tokens, without those of attention: documents are short."""
    model = model_of(arm)
    forms = [model.model_copy(update=cycles) for cycles in CYCLES] if arm.drawn else [model]
    return fmean(training_flops(one, VOCABULARY, TOKENS, TOKENS / 2, 0, _depth(one)) for one in forms)


def _depth(model: Model) -> int:
    """Return how many passes carry gradient."""
    return 1 if model.mode == "plain" else min(model.depth.max, model.h_cycles * (model.l_cycles + 1))


def train(arm: Arm, seed: int, steps: int) -> list[float]:
    """Return the mean nats of the steps up to each mark."""
    torch.manual_seed(seed)
    random, drawn, model = np.random.default_rng(seed), Random(seed), HRM(model_of(arm), VOCABULARY)
    optimizer = torch.optim.AdamW(model.parameters(), lr=arm.peak, betas=(0.9, 0.95), weight_decay=0.1, fused=True)
    nats = list[float]()
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = arm.peak * min(1.0, (step + 1) / WARMUP)
        if arm.drawn:
            model.config = model.config.model_copy(update=drawn.choice(CYCLES))
        losses = list(read(model, batch(arm.tokens, random)))
        nats.append(float(losses[-1].detach()))
        optimizer.zero_grad()
        (sum(losses[1:], losses[0]) / len(losses) if arm.each_cycle else losses[-1]).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    return [float(np.mean(nats[mark - MARK : mark])) for mark in range(MARK, steps + 1, MARK)]


def batch(tokens: int, random: np.random.Generator) -> Batch:
    """Return copying documents of so many tokens together."""
    documents, size = [], 0
    while size < tokens:
        text = copying.random_tokens(VOCABULARY, int(random.integers(12, 33)), random)
        documents.append(copying.copying(text))
        size += documents[-1].size
    return collate(documents)


def read(model: HRM, batch: Batch) -> Iterator[Tensor]:
    """Yield the mean nats of the copied text, read from z_H after each H cycle; of `plain` from its one state."""
    config, text = model.config, batch.targets >= FIRST_TEXT
    attend = packed_attention(batch.spans, batch.ids.device)
    for (_, low), state in model.passes(model.embed(batch.ids), batch.positions, attend, _depth(config)):
        if config.mode == "plain" or low == config.l_cycles:
            yield linear_cross_entropy(state.index_select(0, batch.target_at), model.table, batch.targets)[text].mean()


if __name__ == "__main__":
    typer.run(main)

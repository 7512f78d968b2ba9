"""Loss-carrying tokens per second of a training step on prepared data: ours beside `transformers`' class.

    python benchmarks/train_step.py CONFIG [--size 5M --size small] [--threads 1 --threads 2] [--rows 4] [--rounds 5]

CONFIG was prepared before; the step is of its first packed rows, the same documents, weights and loss for all:

    packed        ours: documents end to end, attention by document, logits at targets alone
    compiled      the same with train.compile
    dense mask    ours, with one mask over each row instead
    padded        transformers: a document a row, padded to the window
    bucketed      transformers: sorted by length, padded to the longest of its batch
    4-D mask      transformers: our packed rows, with a mask and positions of our own

Each of transformers' takes whichever of its attentions (sdpa, eager) was faster in a first turn. They take turns, a
step each, and a ratio is the median over turns. CPU time is compared where it is one thread's, so that other
work on the machine counts less. The peak is the fastest product of large matrices in the same run.
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import torch
import torch.nn.functional as F
import typer
from rich.console import Console
from rich.table import Table
from torch import Tensor

from hrm_ray import settings
from hrm_ray.config import Config, Model, Train
from hrm_ray.model import hrm
from hrm_ray.model.attention import Attend
from hrm_ray.model.batch import Batch, Document, Part, collate
from hrm_ray.model.hf import config_fields, state_dict
from hrm_ray.model.hrm import HRM
from hrm_ray.model.size import training_flops
from hrm_ray.prepare.tokenizer import Control
from hrm_ray.train.corpus import read_dataset
from hrm_ray.train.engine import PlainEngine, pick_precision
from hrm_ray.train.feed import open_feed
from hrm_ray.train.step import train_step
from hrm_ray.train.throughput import visible_pairs

SIZES: dict[str, dict[str, Any]] = {
    "5M": {"hidden": 256, "layers": 2, "heads": 4, "intermediate": 768},
    **{size: {"size": size} for size in ("tiny", "small", "base", "large")},
}
IGNORED = -100
SAME = 1e-2 if torch.cuda.is_available() else 1e-5
"""Relative difference of the losses that all begin with, which rounding may make."""
Step = Callable[[], float]
"""Makes one step and returns its loss."""


class DenseMask:
    """Attention over each packed row as one product, with a mask of what may be seen."""

    def __init__(self, rows: Sequence[Sequence[Document]], device: torch.device) -> None:
        self.masks = [dense_mask(row).to(device) for row in rows]
        self.sizes = [len(mask) for mask in self.masks]

    def __call__(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Attend; q, k and v are [T, heads, head_dim]."""
        pieces = zip(*(torch.split(x.transpose(0, 1), self.sizes, dim=1) for x in (q, k, v)), self.masks, strict=True)
        outs = [F.scaled_dot_product_attention(a[None], b[None], c[None], attn_mask=m)[0] for a, b, c, m in pieces]
        return torch.cat(outs, dim=1).transpose(0, 1)


def dense_mask(row: Sequence[Document]) -> Tensor:
    """Return what each token of a packed row may see, [n, n]."""
    spans = collate(row).spans
    mask = torch.zeros(spans[-1].stop, spans[-1].stop, dtype=torch.bool)
    for start, prefix_stop, stop in spans:
        mask[start:stop, start:stop] = torch.ones(stop - start, stop - start).tril().bool()
        mask[start:prefix_stop, start:prefix_stop] = True
    return mask


def ours(
    model: Model, vocabulary: int, batch: Batch, attend: Callable[[], Attend] | None = None, compiled: bool = False
) -> Step:
    """Return a step of ours, with `attend` in place of the attention by document, or with compiled blocks."""
    losses = {"plan": 1.0, "code": 1.0, "refinement": 0.0}
    train = Train(losses=losses, judge_rows=0, compile=compiled)  # type: ignore[arg-type]
    torch.manual_seed(0)
    engine = PlainEngine(HRM(model, vocabulary), train)
    by_document = hrm.packed_attention

    def step() -> float:
        hrm.packed_attention = (lambda *_: attend()) if attend else by_document
        try:
            return train_step(engine, [batch], train, rate=1e-3, depth=model.depth.max).loss
        finally:
            hrm.packed_attention = by_document

    return step


class Peer:
    """`transformers`' class with our weights; `parts` are keyword arguments of its forward, a micro-batch each."""

    def __init__(self, model: Model, vocabulary: int, window: int, parts: Sequence[dict[str, Tensor]]) -> None:
        import transformers

        fields = config_fields(model, vocabulary, window) | {"L_bp_cycles": [0, model.depth.max - model.h_cycles]}
        self.model = transformers.HrmTextForCausalLM(transformers.HrmTextConfig(**fields))
        torch.manual_seed(0)  # the class has drawn weights of its own
        self.model.load_state_dict(state_dict(HRM(model, vocabulary)), strict=False)
        self.model.to("cuda" if torch.cuda.is_available() else "cpu")
        self.parts = [{name: value.to(self.model.device) for name, value in part.items()} for part in parts]
        self.weights = _targets(self.parts)
        trained = [parameter for parameter in self.model.parameters() if parameter.requires_grad]
        self.optimizer = torch.optim.AdamW(trained, lr=1e-3, betas=(0.9, 0.95), weight_decay=0.1, fused=True)

    def step(self) -> float:
        """Make one step, the loss being that of ours: the mean over plans plus the mean over code, in its precision."""
        total, device = 0.0, self.model.device
        precision = pick_precision(Train(), device)
        for part, weights in zip(self.parts, self.weights, strict=True):
            given = {name: value for name, value in part.items() if name not in ("labels", "section")}
            with torch.autocast(device.type, precision, enabled=precision != torch.float32):
                logits = self.model(**given, use_cache=False).logits[:, :-1]
            nll = F.cross_entropy(logits.flatten(0, 1).float(), part["labels"][:, 1:].flatten(), reduction="none")
            loss = nll @ weights
            loss.backward()
            total += float(loss.detach())
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad()
        return total

    def fastest(self) -> tuple[str, float]:
        """Choose the faster attention by a step of each; return it and the loss of the first."""
        seconds, losses = {}, []
        for name in ("sdpa", "eager"):
            self.model.set_attn_implementation(name)
            losses.append(self.step())
            seconds[name] = timed(self.step)[1]
        best = min(seconds, key=seconds.__getitem__)
        self.model.set_attn_implementation(best)
        return best, losses[0]


def _targets(parts: Sequence[dict[str, Tensor]]) -> list[Tensor]:
    """Return the weight of each label in the loss: one over the number of its section's labels."""
    sections = [part["section"][:, 1:].flatten() for part in parts]
    counts = torch.stack([torch.stack([(s == p).sum() for p in Part]) for s in sections]).sum(0)
    table = torch.cat((1.0 / counts.float(), torch.zeros(1, device=counts.device)))
    return [table[section] for section in sections]


def rows_of_documents(documents: Sequence[Document], length: int) -> dict[str, Tensor]:
    """Lay a document in each row of `length`."""
    shape = (len(documents), length)
    ids, kinds = torch.full(shape, int(Control.PAD)), torch.zeros(shape, dtype=torch.int64)
    labels, section = torch.full(shape, IGNORED), torch.full(shape, len(Part))
    for at, document in enumerate(documents):
        batch, size, prefix = collate([document]), document.size, len(document.prefix)
        ids[at, :size], kinds[at, :prefix] = batch.ids, 1
        labels[at, prefix:size], section[at, prefix:size] = batch.targets, batch.target_part
    seen = (torch.arange(length) < torch.tensor([document.size for document in documents])[:, None]).long()
    return {"input_ids": ids, "token_type_ids": kinds, "attention_mask": seen, "labels": labels, "section": section}


def packed_rows(rows: Sequence[Sequence[Document]], window: int) -> dict[str, Tensor]:
    """Lay our packed rows out with a mask [rows, 1, window, window] and positions."""
    shape = (len(rows), window)
    ids, positions = torch.full(shape, int(Control.PAD)), torch.zeros(shape, dtype=torch.int64)
    labels, section = torch.full(shape, IGNORED), torch.full(shape, len(Part))
    mask = torch.eye(window, dtype=torch.bool).repeat(len(rows), 1, 1, 1)
    for at, row in enumerate(rows):
        batch = collate(row)
        size = len(batch.ids)
        ids[at, :size], positions[at, :size] = batch.ids, batch.positions
        labels[at, batch.target_at + 1], section[at, batch.target_at + 1] = batch.targets, batch.target_part
        mask[at, 0, :size, :size] = dense_mask(row)
    additive = torch.zeros(mask.shape).masked_fill(~mask, -math.inf)
    return {
        "input_ids": ids,
        "position_ids": positions,
        "attention_mask": additive,
        "labels": labels,
        "section": section,
    }


def chunks(documents: Sequence[Document], size: int) -> Iterator[Sequence[Document]]:
    """Cut a list into pieces of `size`."""
    return (documents[start : start + size] for start in range(0, len(documents), size))


def timed(step: Step) -> tuple[float, float]:
    """Return the loss of a step and its seconds: of the CPU where one thread works, else elapsed."""
    clock = time.process_time if torch.get_num_threads() == 1 and not torch.cuda.is_available() else time.perf_counter
    began = clock()
    loss = step()
    return loss, clock() - began


def matmul_peak(device: torch.device) -> float:
    """Return the FLOP per second of large matmuls on this device, in this run."""
    size = 4096 if device.type == "cuda" else 1024
    a = torch.randn(size, size, device=device, dtype=torch.bfloat16 if device.type == "cuda" else torch.float32)
    return 2 * size**3 / min(timed(lambda: float((a @ a)[0, 0]))[1] for _ in range(8))


def contenders(config: Config, model: Model, rows: Sequence[Sequence[Document]]) -> Iterator[tuple[str, Step, float]]:
    """Yield each way to make the step: its name, and the loss that it began with."""
    window, documents = config.prepare.window, [document for row in rows for document in row]
    vocabulary, batch = read_dataset(config)["tokenizer"]["vocab_size"], collate(documents)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    variants: dict[str, dict[str, Any]] = {
        "packed": {},
        "compiled": {"compiled": True},
        "dense mask": {"attend": lambda: DenseMask(rows, device)},
    }
    for name, how in variants.items():
        step = ours(model, vocabulary, batch, **how)
        yield name, step, step()
    ordered = sorted(documents, key=lambda document: document.size)
    layouts = {
        "padded": [rows_of_documents(some, window) for some in chunks(documents, len(rows))],
        "bucketed": [rows_of_documents(some, some[-1].size) for some in chunks(ordered, len(rows))],
        "4-D mask": [packed_rows(rows, window)],
    }
    for name, parts in layouts.items():
        peer = Peer(model, vocabulary, window, parts)
        attention, loss = peer.fastest()
        yield f"{name}, transformers ({attention})", peer.step, loss


def measure(config: Config, size: str, threads: int, rows: Sequence[Sequence[Document]], rounds: int) -> Table:
    """Return the table of one size and number of threads."""
    torch.set_num_threads(threads)
    model = Model.model_validate(SIZES[size])
    batch = collate([document for row in rows for document in row])
    vocabulary = read_dataset(config)["tokenizer"]["vocab_size"]
    peak = matmul_peak(torch.device("cuda" if torch.cuda.is_available() else "cpu"))
    found = list(contenders(config, model, rows))
    steps = {name: step for name, step, _ in found}
    turns = [{name: timed(step)[1] for name, step in steps.items()} for _ in range(rounds)]
    tokens, targets = len(batch.ids), len(batch.targets)
    flops = training_flops(model, vocabulary, tokens, targets, visible_pairs(batch), model.depth.max)
    title = f"{size}, {threads} thread(s), {tokens:,} tokens, {targets:,} with a loss, {len(batch.spans)} documents; "
    table = Table("", "loss tokens/s", "MFU", "ours is faster by", title=f"{title}peak {peak / 1e9:,.0f} GFLOP/s")
    for name in steps:
        seconds = statistics.median(turn[name] for turn in turns)
        ratio = statistics.median(turn[name] / turn["packed"] for turn in turns)
        table.add_row(name, f"{targets / seconds:,.0f}", f"{flops / seconds / peak:.0%}", f"{ratio:.2f}")
    losses = [loss for *_, loss in found]
    assert max(losses) < (1 + SAME) * min(losses), f"they are not the same step: {losses}"
    table.caption = f"all began with a loss of {losses[0]:.5f}, to {max(losses) / min(losses) - 1:.0e}"
    return table


def main(
    config: Path,
    size: Annotated[list[str], typer.Option(help=", ".join(SIZES))] = ["5M", "small"],  # noqa: B006
    threads: Annotated[list[int], typer.Option()] = [1, 2],  # noqa: B006
    rows: int = 4,
    rounds: int = 5,
    set_: Annotated[list[str], typer.Option("--set")] = [],  # noqa: B006
) -> None:
    """Print a table for each size and number of threads."""
    loaded = settings.load(config, set_)
    stream = open_feed(loaded).solve[0]
    packed = [[document._replace(weight=1.0) for document in stream.row(number)] for number in range(rows)]
    for name in size:
        for count in threads:
            Console().print(measure(loaded, name, count, packed, rounds))


if __name__ == "__main__":
    typer.run(main)

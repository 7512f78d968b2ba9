"""Our logits against those of `transformers`' class, by size: the largest difference, and greedy text, as a table.

    python benchmarks/parity.py [--size tiny --size small ...] [--narrow 4] [--tokens 128] [--steps 3]

Each size is trained for a few steps of plain gradient descent on one document, exported, loaded by `transformers`, and
asked for the logits of another document and for a plan and code. All in fp32 on the CPU. `--narrow N` divides the width
and the heads of each size by N and keeps its blocks, over which rounding adds up: for machines that the whole is too
much for.
"""

from __future__ import annotations

import gc
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from torch import Tensor

from hrm_ray.config import Model
from hrm_ray.model import hf_folder
from hrm_ray.model.attention import PackedAttention
from hrm_ray.model.batch import Document, collate
from hrm_ray.model.generate import generate
from hrm_ray.model.hrm import HRM
from hrm_ray.model.sampling import Sampling
from hrm_ray.model.size import parameters
from hrm_ray.prepare.tokenizer import Control, Tokenizer

SOURCES = Path(__file__).parents[1] / "hrm_ray"
WRITTEN = {Control.CODE: 8, Control.END: 16}
"""Tokens to write before each of these must come."""


def document(text: str, tokenizer: Tokenizer, tokens: int) -> Document:
    """Half prefix, a quarter plan, a quarter code."""
    ids = tokenizer.encode(text)[:tokens]
    half, most = tokens // 2, 3 * tokens // 4
    prefix, plan, code = [Control.PROBLEM, *ids[:half]], [Control.PLAN, *ids[half:most]], ids[most:]
    return Document(prefix, plan, [Control.CODE, *code, Control.END])


def train(model: HRM, given: Document, steps: int) -> float:
    """Move each weight as its gradient comes, so that no two gradients are held; return the last loss."""
    for parameter in model.parameters():
        parameter.register_post_accumulate_grad_hook(descend)
    for _ in range(steps):
        loss = model(collate([given]), model.config.depth.max).nll.mean()
        loss.backward()
    return loss.item()


@torch.no_grad()
def descend(parameter: Tensor) -> None:
    """Step against a gradient of any size by a hundredth of the weight's own, and forget it."""
    gradient = parameter.grad
    if gradient is not None and gradient.norm() > 0:
        parameter.sub_(gradient, alpha=float(0.01 * parameter.norm() / gradient.norm()))
    parameter.grad = None


@torch.no_grad()
def ours(model: HRM, given: Document, prefix: Sequence[int]) -> tuple[Tensor, list[list[int]]]:
    """Return the logits of a document, and the plan and code that we write after a prefix."""
    batch = collate([given])
    states = model.states(model.embed(batch.ids), batch.positions, PackedAttention(batch.spans, batch.ids.device), 2)
    (written,) = generate(model, [prefix], [0], Sampling(*WRITTEN.values()))
    return model.logits(states), [written.plan, written.code]


@torch.no_grad()
def theirs(model: Any, given: Document, prefix: Sequence[int]) -> tuple[Tensor, list[list[int]]]:  # noqa: ANN401
    """The same by `transformers`."""
    ids = [*given.prefix, *given.plan, *given.code]
    logits = model(input_ids=torch.tensor([ids]), token_type_ids=kinds(len(given.prefix), len(ids))).logits[0]
    ids, texts = [*prefix, Control.PLAN], []
    for end, most in WRITTEN.items():
        before = len(ids)
        ids = model.generate(
            input_ids=torch.tensor([ids]),
            token_type_ids=kinds(len(prefix), before),
            suppress_tokens=[other for other in Control if other != end],
            eos_token_id=int(end),
            max_new_tokens=most,
        )[0].tolist()
        texts.append([token for token in ids[before:] if token != end])
        ids += [] if ids[-1] == end else [int(end)]
    return logits, texts


def kinds(prefix: int, size: int) -> Tensor:
    """[1, size]: 1 in the prefix."""
    return (torch.arange(size) < prefix).long()[None]


def narrowed(size: str, by: int) -> Model:
    """Return the network of a size, with a part of its width."""
    whole = Model.model_validate({"size": size})
    return whole.model_copy(update={name: getattr(whole, name) // by for name in ("hidden", "heads", "intermediate")})


def compare(config: Model, tokenizer: Tokenizer, texts: Sequence[str], tokens: int, steps: int) -> list[str]:
    """Return a row of the table."""
    import transformers

    began = time.perf_counter()
    torch.manual_seed(0)
    model = HRM(config, tokenizer.vocab_size)
    trained, asked = (document(text, tokenizer, tokens) for text in texts)
    loss = train(model, trained, steps)
    wanted, written = ours(model, asked, asked.prefix)
    with tempfile.TemporaryDirectory() as folder:
        hf_folder.write(Path(folder), model, tokenizer, window=1024, form="whole")
        del model
        gc.collect()
        loaded = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    found, texts_found = theirs(loaded, asked, asked.prefix)
    shape = f"{config.layers} x {config.hidden}"
    count = f"{parameters(config, tokenizer.vocab_size) / 1e6:,.1f} M"
    difference = f"{float((found - wanted).abs().max()):.1e}"
    same = "the same" if texts_found == written else "another"
    seconds = f"{time.perf_counter() - began:.0f} s"
    return [config.size, shape, count, f"{loss:.2f}", f"{float(wanted.std()):.2f}", difference, same, seconds]


def print_table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print Markdown, each row as it comes."""
    for cells in (titles, ["---:"] * len(titles)):
        print(f"| {' | '.join(cells)} |")
    for cells in rows:
        print(f"| {' | '.join(cells)} |", flush=True)


def main(
    size: Annotated[list[str], typer.Option()] = ["tiny", "small"],  # noqa: B006
    narrow: int = 1,
    tokens: int = 128,
    steps: int = 3,
) -> None:
    """Print the table."""
    texts = [path.read_text("utf-8") for path in sorted(SOURCES.glob("*/*.py"))]
    tokenizer = Tokenizer.train(texts, 4096)
    long = sorted(texts, key=len)[-2:]
    titles = ("size", "blocks x width", "parameters", "loss then", "spread of logits", "largest difference")
    print_table(
        (*titles, "greedy text", "took"),
        (compare(narrowed(name, narrow), tokenizer, long, tokens, steps) for name in size),
    )


if __name__ == "__main__":
    typer.run(main)

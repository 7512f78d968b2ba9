"""Whether the network reads its prefix: validation losses of the tokens that only reading makes cheap.

Of modifications: tokens that are unchanged and changed, the same unchanged tokens behind another example's prefix (the
difference is the reading gain), the names that a plan takes from its prefix, the first line of an edit among those of
its declaration; and copies of random tokens, as long as those of training and longer. Each stands beside the loss of a
uniform guess.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from enum import IntEnum, auto
from typing import NamedTuple, Self

import numpy as np
import torch
from numpy.typing import NDArray
from rapidfuzz.distance import Levenshtein

from hrm_ray.config import Config
from hrm_ray.model.batch import Batch, Document, Part
from hrm_ray.prepare import edits
from hrm_ray.prepare.examples import Example
from hrm_ray.prepare.tokenizer import FIRST_TEXT, Tokenizer, is_number
from hrm_ray.train import copying
from hrm_ray.train.corpus import SolveDocuments
from hrm_ray.train.engine import Engine
from hrm_ray.train.validate import batches, run_all

COPIES = 16
"""Copying documents of each length."""


class Kind(IntEnum):
    """What a predicted token is."""

    OTHER = 0
    UNCHANGED = auto()
    CHANGED = auto()
    NAME = auto()


class Choice(NamedTuple):
    """The first line that the plan of an edit names, out of all of its declaration."""

    document: Document
    """Its plan ends before that line."""
    lines: range
    """The numbers that can stand there."""
    right: int
    """Which of `lines` it is."""

    @classmethod
    def first(cls, document: Document) -> Self | None:
        """Return the choice of a solve document; None where its plan names no line."""
        lines, plan = edits.numbers(np.asarray(document.prefix).tolist()), np.asarray(document.plan).tolist()
        at = next((at for at, id_ in enumerate(plan) if is_number(id_)), None)
        if at is None or plan[at] not in lines:
            return None
        return cls(document._replace(plan=plan[:at], code=[]), lines, lines.index(plan[at]))


def asked(batch: Batch, choices: Sequence[Choice]) -> Batch:
    """Return the batch of these choices' documents with every line that can stand there as a target."""
    counts = [len(choice.lines) for choice in choices]
    at = np.repeat([span.stop - 1 for span in batch.spans], counts).astype(np.int64)
    ids = np.array([id_ for choice in choices for id_ in choice.lines], np.int64)
    device = batch.ids.device
    return replace(
        batch,
        target_at=torch.from_numpy(at).to(device),
        targets=torch.from_numpy(ids).to(device),
        target_part=torch.full((len(ids),), Part.PLAN, device=device),
        target_weight=torch.ones(len(ids), device=device),
    )


class Reading:
    """The first `train.validation.probes` modifications of a fold, with the kind of each token that is predicted."""

    def __init__(self, config: Config, solve: SolveDocuments) -> None:
        tokenizer = Tokenizer.load(config.data / "tokenizer.json")
        changes, comments = (solve.shards.column(name).to_pylist() for name in ("change", "comment_only"))
        rows = [row for row in range(len(solve)) if changes[row] == "modified" and not comments[row]]
        rows = rows[: config.train.validation.probes]
        self.documents = [solve.document(row) for row in rows]
        self.kinds = [
            kinds(document, solve.shards.example(row), tokenizer)
            for document, row in zip(self.documents, rows, strict=True)
        ]
        prefixes = [document.prefix for document in self.documents]
        others = [*prefixes[1:], *prefixes[:1]] if len(prefixes) > 1 else []
        self.strange = [one._replace(prefix=other) for one, other in zip(self.documents, others, strict=False)]
        self.choices = [choice for one in self.documents if (choice := Choice.first(one))]
        self.vocabulary = tokenizer.vocab_size
        window = config.prepare.window
        trained = copying.longest(window)
        lengths = {"copy": (copying.FEWEST, trained), "long_copy": (trained + 1, window // 2 - 1)}
        count = COPIES if config.train.validation.probes else 0
        self.copies = {name: _copies(config, length, self.vocabulary, count) for name, length in lengths.items()}
        self.tokens = config.train.micro_rows * config.prepare.window

    def measure(self, engine: Engine) -> dict[str, float | None]:
        """Return nats by kind of token, `reading_gain`, and what a uniform guess has."""
        own = self._means(engine, self.documents)
        strange = self._means(engine, self.strange)[Kind.UNCHANGED]
        unchanged = own[Kind.UNCHANGED]
        first, uniform = self._first_lines(engine), [math.log(len(choice.lines)) for choice in self.choices]
        return {
            "unchanged_nats": unchanged,
            "changed_nats": own[Kind.CHANGED],
            "reading_gain": None if unchanged is None or strange is None else strange - unchanged,
            "plan_name_nats": own[Kind.NAME],
            "first_line_nats": sum(first) / len(first) if first else None,
            "first_line_uniform_nats": sum(uniform) / len(uniform) if uniform else None,
            **{f"{name}_nats": _text_nats(engine, documents, self.tokens) for name, documents in self.copies.items()},
            "uniform_nats": math.log(self.vocabulary - FIRST_TEXT),
        }

    def _first_lines(self, engine: Engine) -> list[float]:
        """Return the nats of each choice of a first line, on every rank."""
        nats = torch.zeros(len(self.choices), dtype=torch.float64)
        documents = [choice.document for choice in self.choices]
        for chunk, batch in batches(engine, documents, self.tokens):
            choices = self.choices[chunk]
            with torch.no_grad():
                output = engine.forward(asked(batch, choices), engine.model.config.depth.max)
            each = torch.split(output.nll.cpu().double(), [len(choice.lines) for choice in choices])
            found = [-float((-nll).log_softmax(0)[choice.right]) for choice, nll in zip(choices, each, strict=True)]
            nats[chunk] = torch.tensor(found, dtype=torch.float64)
        return engine.sum(nats).tolist()

    def _means(self, engine: Engine, documents: Sequence[Document]) -> list[float | None]:
        sums = torch.zeros(len(Kind), 2, dtype=torch.float64)
        for chunk, _, output in run_all(engine, documents, self.tokens):
            kinds = torch.from_numpy(np.concatenate([np.empty(0, np.int64), *self.kinds[chunk]]))
            nats = output.nll.cpu().double()
            sums.index_add_(0, kinds, torch.stack((nats, torch.ones_like(nats)), 1))
        return [total / count if count else None for total, count in engine.sum(sums).tolist()]


def kinds(document: Document, example: Example, tokenizer: Tokenizer) -> NDArray[np.int64]:
    """Return the `Kind` of each token of plan and code of a modification, [len(plan) + len(code)]."""
    plan, code = np.asarray(document.plan), np.asarray(document.code)
    lines = edits.numbers(np.asarray(document.prefix).tolist())
    found = np.full(len(plan), Kind.OTHER, np.int64)
    found[_name(plan, example, tokenizer) & np.isin(plan, document.prefix)] = Kind.NAME
    marked = _of_edit(code, lines.start, example, tokenizer) if lines else _of_text(code, example, tokenizer)
    return np.concatenate((found, marked))


def _name(plan: NDArray[np.int32], example: Example, tokenizer: Tokenizer) -> NDArray[np.bool_]:
    """Mark the tokens of a plan that begin within the name in its header, [len(plan)]."""
    marked = np.zeros(len(plan), np.bool_)
    header = example.plan.split("\n", 1)[0]
    starts = tokenizer.starts(header)[: max(0, len(plan) - 1)]
    marked[1 : 1 + len(starts)] = [start >= header.rfind(" ") for start in starts]
    return marked


def _of_text(code: NDArray[np.int32], example: Example, tokenizer: Tokenizer) -> NDArray[np.int64]:
    """Mark the tokens of a whole answer by the lines that they begin in, [len(code)]."""
    shift, changed = 0, set[int]()
    for hunk in edits.hunks(example.before, example.code):
        changed |= set(range(hunk.first + shift, hunk.first + shift + len(hunk.lines)))
        shift += len(hunk.lines) - (hunk.end - hunk.first)
    breaks = [at for at, char in enumerate(example.code) if char == "\n"]
    rows = np.searchsorted(breaks, tokenizer.starts(example.code)[: max(0, len(code) - 1)]).tolist()
    marked = np.full(len(code), Kind.OTHER, np.int64)
    marked[1 : 1 + len(rows)] = [Kind.CHANGED if row in changed else Kind.UNCHANGED for row in rows]
    return marked


def _of_edit(code: NDArray[np.int32], start: int, example: Example, tokenizer: Tokenizer) -> NDArray[np.int64]:
    """Mark the text of an edit: what the replaced lines hold in this order is unchanged, [len(code)]."""
    marked = np.full(len(code), Kind.OTHER, np.int64)
    old = tokenizer.encode_batch(example.before.split("\n"))
    for first, end, stop in edits.places(code.tolist()):
        replaced = [id_ for line in old[code[first] - start : code[end] - start] for id_ in line]
        text = end + 1 + np.flatnonzero(code[end + 1 : stop] >= FIRST_TEXT)
        marked[text] = Kind.CHANGED
        for op in Levenshtein.opcodes(replaced, code[text].tolist()):
            if op.tag == "equal":
                marked[text[op.dest_start : op.dest_end]] = Kind.UNCHANGED
    return marked


def _copies(config: Config, lengths: tuple[int, int], vocabulary: int, count: int) -> list[Document]:
    """Return copying documents of random tokens, the same in every run of these settings."""
    random = np.random.default_rng((config.seed, 6, *lengths))
    sizes = random.integers(lengths[0], lengths[1] + 1, count).tolist()
    return [copying.copying(copying.random_tokens(vocabulary, size, random)) for size in sizes]


def _text_nats(engine: Engine, documents: Sequence[Document], tokens: int) -> float | None:
    """Return the mean nats of text tokens, over ranks."""
    sums = torch.zeros(2, dtype=torch.float64)
    for _, batch, output in run_all(engine, documents, tokens):
        nats = output.nll[batch.targets >= FIRST_TEXT].double()
        sums += torch.stack((nats.sum(), torch.tensor(len(nats), dtype=torch.float64, device=nats.device))).cpu()
    total, count = engine.sum(sums).tolist()
    return total / count if count else None

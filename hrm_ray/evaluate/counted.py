"""The n-gram model beside a run: counted on the training fold, measured on the same rows by the same measures."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from hrm_ray.evaluate import generation, ngram
from hrm_ray.evaluate.bits import Sizes, bits_per_byte, ratio
from hrm_ray.evaluate.generation import Attempt
from hrm_ray.evaluate.ngram import NGrams
from hrm_ray.evaluate.opened import Opened
from hrm_ray.model.batch import SECTIONS, Document, Part
from hrm_ray.train.corpus import SolveDocuments

ROWS = 1000
"""Documents whose tokens are looked up at a time."""


def measure(
    opened: Opened, found: Sequence[Attempt], sizes: Sizes, progress: Callable[[int, int], None]
) -> dict[str, Any]:
    """Return the `ngram` of `evaluation.json`: its bits on the split, and what it writes where the run did."""
    train = SolveDocuments(opened.config.data, "train")
    grams = NGrams((_tokens(train.document(row)) for row in range(len(train))), len(opened.engine.model.table))
    nats = torch.zeros(len(opened.solve), SECTIONS, dtype=torch.float64)
    for start in range(0, len(nats), ROWS):
        nats[start : start + ROWS] = _nats(grams, opened, range(start, min(start + ROWS, len(nats))))
    rows = [attempt.index for attempt in found]
    asked = generation.requests(opened, rows)
    prefixes, headers = [one.prefix for one in asked], [one.header(opened.tokenizer) for one in asked]
    seeds = [generation.seed_of(opened.config.seed, attempt.example.id) for attempt in found]
    sampling = generation.sampling_of(opened.config.evaluate)
    written = ngram.write(grams, prefixes, seeds, sampling, lambda done: progress(done, len(rows)), headers)
    return {
        "order": ngram.ORDER,
        "tokens": grams.tokens,
        "losses": {
            **bits_per_byte(nats, sizes),
            "plan_and_code_bits_per_code_byte": ratio(float(nats.sum()), float(sizes[:, Part.CODE].sum())),
        },
        "generation": generation.measure(generation.scored(opened, rows, list(written))),
    }


def _nats(grams: NGrams, opened: Opened, rows: range) -> Tensor:
    """[rows, 2] nats of plan and code."""
    documents = [opened.solve.document(row) for row in rows]
    ends = np.cumsum([document.size for document in documents])
    spans = [(end - len(one.plan) - len(one.code), end) for end, one in zip(ends, documents, strict=True)]
    tokens = np.concatenate([_tokens(document) for document in documents]).astype(np.int64)
    at = np.concatenate([np.arange(*span) for span in spans])
    sections = np.array([[len(document.plan), len(document.code)] for document in documents])
    owner = torch.from_numpy(np.repeat(np.arange(sections.size), sections.flatten()))
    nats = torch.from_numpy(-np.log(grams.probabilities(tokens, at)))
    return torch.zeros(sections.size, dtype=torch.float64).index_add(0, owner, nats).view(-1, SECTIONS)


def _tokens(document: Document) -> NDArray[np.int32]:
    return np.concatenate([np.asarray(part, np.int32) for part in (document.prefix, document.plan, document.code)])

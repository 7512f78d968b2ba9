"""Slips: stretches of code that a document repeats by mistake, before its code goes on as it should.

A network that copies what it reads copies its own output too, and so falls into loops. It never sees one in training
unless some are put there. A slip has no loss; what comes after it has, so that the network learns to go on (a data set
of own mistakes as in DAgger, arXiv 1011.0686). What it is worth: docs/log.md.
"""

from __future__ import annotations

import numpy as np

from hrm_ray.model.batch import Document
from hrm_ray.prepare.tokenizer import FIRST_TEXT, Control

FIRST = 4
"""Where the first line of an edit has its first token: behind `<|code|>`, two numbers and `<|line|>`."""
TOKENS = 6
"""Longest stretch, unless it is a whole line."""
TIMES = 3
"""Most times that it is written again."""


def slipped(document: Document, random: np.random.Generator) -> Document:
    """Return a document with a slip: half of the time a line, else some tokens; short code stays as it is."""
    code = [int(id_) for id_ in document.code]
    if len(code) <= FIRST + 2:
        return document
    lines = [at for at, id_ in enumerate(code) if id_ == Control.LINE]
    if lines and random.random() < 0.5:
        start = lines[int(random.integers(len(lines)))]
        stop = next((at for at in range(start + 1, len(code)) if code[at] < FIRST_TEXT), len(code))
    else:
        stop = int(random.integers(FIRST + 1, len(code)))
        start = max(FIRST, stop - int(random.integers(1, TOKENS + 1)))
    again = code[start:stop] * int(random.integers(1, TIMES + 1))
    return document._replace(code=[*code[:stop], *again, *code[stop:]], slip=range(stop, stop + len(again)))

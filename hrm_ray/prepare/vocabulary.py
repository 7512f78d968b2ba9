"""The tokenizer of a dataset: trained on the training fold alone, so that no held-out text shapes its tokens."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence

from hrm_ray.config import Prepare
from hrm_ray.prepare import edits
from hrm_ray.prepare.adopted import adopt
from hrm_ray.prepare.shards import Shards
from hrm_ray.prepare.tokenizer import Tokenizer

MOST_BYTES = 100_000_000
"""UTF-8 bytes of the training fold that the tokenizer sees, taken in order of the examples' ids, which are hashes."""

_SECTIONS = ("title", "body", "path", "outline", "before", "anchor", "plan", "code")


def make(extracted: Shards, rows: Sequence[int], settings: Prepare) -> tuple[Tokenizer, dict[str, int]]:
    """Train on the different texts of `rows`, the training fold, or take a model's; return also how much was seen."""
    counts: Counter[str] = Counter(sampled_examples=0, sampled_bytes=0)
    if settings.tokenizer_from is not None:
        return adopt(settings.tokenizer_from), dict(counts)
    tokenizer = Tokenizer.train(_texts(extracted, rows, counts, settings.form == "edit"), settings.vocab_size)
    return tokenizer, dict(counts)


def _texts(extracted: Shards, rows: Sequence[int], counts: Counter[str], lines: bool) -> Iterator[str]:
    """Texts as they are tokenised: of edits, where `lines`, the code line by line and the plan without places."""
    seen: set[bytes] = set()
    for row in rows:
        if counts["sampled_bytes"] >= MOST_BYTES:
            return
        counts["sampled_examples"] += 1
        values = extracted.row(row)
        for name in _SECTIONS:
            text = values[name].encode()
            digest = hashlib.sha256(text).digest()[:16]
            if digest not in seen:
                seen.add(digest)
                counts["sampled_bytes"] += len(text)
                edited = lines and values["change"] == "modified"
                if edited and name in ("before", "code"):
                    yield from values[name].split("\n")
                else:
                    yield edits.without_places(values[name]) if edited and name == "plan" else values[name]

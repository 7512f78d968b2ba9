"""Bits per byte on a held-out split: with the true plan, a predicted one and none, and by what kind of change it is."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from hrm_ray.errors import UserError
from hrm_ray.evaluate import probes
from hrm_ray.evaluate.bits import Sizes, bits_per_byte, ratio
from hrm_ray.evaluate.opened import Opened
from hrm_ray.model.batch import SECTIONS, Document, Part
from hrm_ray.prepare.tokenizer import Control
from hrm_ray.train.corpus import SolveDocuments
from hrm_ray.train.validate import all_nats

BUCKETS = (128, 512, 2048)
"""Bytes of code: upper bounds of the lengths that are told apart; the last is open."""

_LENGTHS = (*(f"up to {bound} bytes" for bound in BUCKETS), f"over {BUCKETS[-1]} bytes")

CODE_BITS = ("code_bits_per_byte", "code_bits_per_byte_no_plan")


@dataclass(frozen=True)
class SplitNats:
    """[rows of the split, 2] nats of plan and code, behind the true plan and without one (then of code alone)."""

    planned: Tensor
    direct: Tensor
    sizes: Sizes

    def summary(self, rows: Sequence[int]) -> dict[str, Any]:
        """Return one `L` of `evaluation.json`, of these rows alone."""
        planned, direct, sizes = (tensor[list(rows)] for tensor in (self.planned, self.direct, self.sizes))
        code_bytes = int(sizes[:, Part.CODE].sum())
        return {
            "examples": len(rows),
            "code_bytes": code_bytes,
            **bits_per_byte(planned, sizes),
            "code_bits_per_byte_no_plan": ratio(float(direct[:, Part.CODE].sum()), code_bytes),
            "plan_and_code_bits_per_code_byte": ratio(float(planned.sum()), code_bytes),
        }


def read(opened: Opened) -> tuple[SplitNats, dict[str, Any]]:
    """Run the whole split with the true plans and without: return its nats, and the `probes` of `evaluation.json`.

    Raises:
        UserError: they are not finite.
    """
    planned, direct, sizes = _documents(opened.solve)
    states = probes.read(opened.engine, planned, opened.tokens)
    own = list(states.values())[-1]
    if not own.isfinite().all():
        raise UserError(f"{opened.run_dir}: the network of step {opened.step} gives losses that are not finite")
    found = probes.measure(opened.engine, planned, opened.tokens, states, sizes)
    return SplitNats(own, all_nats(opened.engine, direct, opened.tokens), sizes), found


def validation(opened: Opened) -> dict[str, Any] | None:
    """Return the `validation` of `evaluation.json`: the whole of that fold, where it is the test fold that is read."""
    if opened.config.evaluate.split != "test":
        return None
    planned, direct, sizes = _documents(SolveDocuments(opened.config.data, "validation"))
    own, without = (all_nats(opened.engine, documents, opened.tokens) for documents in (planned, direct))
    return SplitNats(own, without, sizes).summary(range(len(sizes)))


def _documents(solve: SolveDocuments) -> tuple[list[Document], list[Document], Sizes]:
    """A whole fold with the true plans and without, and the bytes of its sections."""
    planned, direct = ([solve.document(row, with_plan) for row in range(len(solve))] for with_plan in (True, False))
    return planned, direct, torch.tensor([[one.plan_bytes, one.code_bytes] for one in planned]).view(-1, SECTIONS)


def records(opened: Opened, nats: SplitNats) -> Iterator[dict[str, Any]]:
    """Yield the lines of `losses.jsonl`."""
    names = ("id", "repository", "number", "plan_bytes", "code_bytes")
    columns = (opened.solve.shards.column(name).to_pylist() for name in names)
    for *told, (plan, code), (_, direct) in zip(*columns, nats.planned.tolist(), nats.direct.tolist(), strict=True):
        yield dict(zip(names, told, strict=True)) | {"plan_nats": plan, "code_nats": code, "code_nats_no_plan": direct}


def measure(opened: Opened, nats: SplitNats, plans: Mapping[int, Sequence[int]]) -> dict[str, Any]:
    """Return the `losses` of `evaluation.json`, exact over the whole split; `plans` are predicted ones, by row."""
    return {
        **nats.summary(range(len(opened.solve))),
        "by": {
            name: {label: nats.summary(rows) for label, rows in sorted(groups.items(), key=_order)}
            for name, groups in grouped(opened.solve).items()
        },
        "predicted_plan": {
            **{name: nats.summary(list(plans))[name] for name in ("examples", *CODE_BITS)},
            "code_bits_per_byte_predicted_plan": code_bits_per_byte_given(opened, plans),
        },
    }


def grouped(solve: SolveDocuments) -> dict[str, dict[str, list[int]]]:
    """Return the rows of a split by intent, kind of declaration, length of the code, and whether it is a test."""
    names = ("change", "kinds", "code_bytes", "is_test")
    groups: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for row, values in enumerate(zip(*(solve.shards.column(name).to_pylist() for name in names), strict=True)):
        for name, label in _labels(*values):
            groups[name][label].append(row)
    return groups


def _labels(change: str, kinds: Sequence[str], size: int, is_test: bool) -> Iterator[tuple[str, str]]:
    yield "intent", change
    yield "kind", kinds[0] if len(set(kinds)) == 1 else "several"
    yield "length", _LENGTHS[bisect_left(BUCKETS, size)]
    yield "origin", "test" if is_test else "not a test"


def _order(group: tuple[str, list[int]]) -> tuple[int, str]:
    label, _ = group
    return _LENGTHS.index(label) if label in _LENGTHS else 0, label


def code_bits_per_byte_given(opened: Opened, plans: Mapping[int, Sequence[int]]) -> float | None:
    """Return the bits per byte of the true code of rows of the split behind other plans than theirs: token ids by row.

    With predicted plans it says what the plan -> code hierarchy is worth in use, where nobody gives the true plan.
    """
    documents = [opened.solve.document(row)._replace(plan=[Control.PLAN, *plan]) for row, plan in plans.items()]
    nats = all_nats(opened.engine, documents, opened.tokens)
    return ratio(float(nats[:, Part.CODE].sum()), sum(document.code_bytes for document in documents))

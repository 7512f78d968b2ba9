"""How hard a step works: the model's FLOPs, what the devices could have done meanwhile, and the memory it took.

Model FLOPs count what the model needs (`hrm_ray.model.size`), not what an implementation spends; their rate, over the
devices' peak, is the model FLOPs utilisation (MFU; arXiv 2204.02311, appendix B).
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import torch

from hrm_ray.model.batch import Batch
from hrm_ray.model.hrm import HRM
from hrm_ray.model.size import training_flops
from hrm_ray.train import memory
from hrm_ray.train.engine import Engine

PEAKS = {
    ("MIG",): math.nan,  # a slice of a GPU, under the name of the whole
    ("A100",): 312e12,
    ("H100", "PCIe"): 756e12,
    ("H100", "NVL"): 835e12,
    ("H100",): 989e12,
    ("H200", "NVL"): math.nan,  # slower than the other H200; we found no source for how much
    ("H200",): 989e12,
    ("B200",): 2250e12,
    ("A10",): 125e12,
    ("L4",): 121e12,
    ("L40S",): 362e12,
}
"""Dense bf16 FLOP/s by words of `torch.cuda.get_device_name`, the first that fits. NVIDIA's data sheets as others have
read them: torchtitan (`get_peak_flops` in tools/utils.py), and for A10 and L4 Lightning (`_CUDA_FLOPS` in
fabric/utilities/throughput.py); NaN where a word fits and the number would be another."""

SIDE = 512
"""Of the square matrices whose product is timed on a CPU: 1 MiB each, of the size that a tiny model's matmuls have."""

SECONDS = 0.15
"""How long products are timed; the fastest counts."""


@dataclass(frozen=True)
class Throughput:
    """The ranks' devices together."""

    peak: float | None
    """FLOP/s of all devices; None where one of them is not known."""
    source: str

    @classmethod
    def of(cls, engine: Engine) -> Self:
        """Look the devices up, or time them; every rank at once, as they will work."""
        peak, source = device_peak(engine.device)
        total = float(engine.sum(torch.tensor([peak], dtype=torch.float64)))
        return cls(total if math.isfinite(total) else None, source)

    def measure(self, engine: Engine, batches: Sequence[Batch], depth: int, seconds: float) -> dict[str, float | None]:
        """Return the metrics of a step that took `seconds`; memory is of the rank that holds most, in bytes."""
        mine = [step_flops(engine.model, batches, depth), *memory.host(), memory.peak(engine.device)]
        ranks = torch.zeros(engine.world, len(mine), dtype=torch.float64)
        ranks[engine.rank] = torch.tensor(mine, dtype=torch.float64)
        ranks = engine.sum(ranks)
        flops, [_, held, most, device] = float(ranks[:, 0].sum()), ranks.amax(0).tolist()
        return {
            "flops": flops,
            "mfu": flops / seconds / self.peak if self.peak else None,
            "host_memory": int(held),
            "host_memory_peak": int(most),
            "device_memory_peak": int(device) if engine.device.type == "cuda" else None,
        }


def step_flops(model: HRM, batches: Sequence[Batch], depth: int) -> float:
    """Return the model's FLOPs of a forward and backward over `batches`."""
    tokens, targets = (sum(len(getattr(batch, name)) for batch in batches) for name in ("ids", "targets"))
    pairs = sum(visible_pairs(batch) for batch in batches)
    return training_flops(model.config, model.embedding.num_embeddings, tokens, targets, pairs, depth)


def visible_pairs(batch: Batch) -> int:
    """Return how many (query, key) pairs attention looks at: a prefix sees all of itself, the rest what came before."""
    sizes = [(span.prefix_stop - span.start, span.stop - span.start) for span in batch.spans]
    return sum(prefix**2 + (size * (size + 1) - prefix * (prefix + 1)) // 2 for prefix, size in sizes)


def device_peak(device: torch.device) -> tuple[float, str]:
    """Return the FLOP/s that a device can do at most, NaN where that is not known, and how we know."""
    if device.type != "cuda":
        threads = torch.get_num_threads()
        return matmul_peak(), f"fp32 matmul of {SIDE} x {SIDE} timed at start, {threads} CPU thread(s) a process"
    name = torch.cuda.get_device_name(device)
    words = set(re.split(r"\W+", name))
    peak = next((peak for parts, peak in PEAKS.items() if words.issuperset(parts)), math.nan)
    return peak, f"{name} is not in our table" if math.isnan(peak) else f"dense bf16 of {name}, data sheet"


def matmul_peak() -> float:
    """Time products of constant matrices for `SECONDS`, with this process's threads; no random number is drawn."""
    a, b = torch.ones(SIDE, SIDE), torch.ones(SIDE, SIDE)
    fastest, stop = math.inf, time.perf_counter() + SECONDS
    while (began := time.perf_counter()) < stop:
        a @ b
        fastest = min(fastest, time.perf_counter() - began)
    return 2 * SIDE**3 / fastest

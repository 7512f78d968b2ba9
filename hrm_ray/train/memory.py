"""Memory that is held and memory that is free: of the GPU where there is one, else of this process and its machine."""

from __future__ import annotations

from pathlib import Path

import torch

CGROUP = Path("/sys/fs/cgroup")


def held(device: torch.device) -> int:
    """Return the bytes that are held, of the GPU or else of this process, and let `peak` begin there."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        return torch.cuda.memory_allocated(device)
    Path("/proc/self/clear_refs").write_text("5", "ascii")  # resets VmHWM (proc(5))
    return _kibibytes("/proc/self/status", "VmRSS")


def peak(device: torch.device) -> int:
    """Return the most bytes that were held, since `held` if it was called."""
    return torch.cuda.max_memory_allocated(device) if device.type == "cuda" else host()[1]


def host() -> tuple[int, int]:
    """Return the bytes of RAM that this process holds, and the most that it held."""
    return _kibibytes("/proc/self/status", "VmRSS"), _kibibytes("/proc/self/status", "VmHWM")


def free(device: torch.device) -> int:
    """Return the bytes that can still be had: of the GPU, or else of this machine, a container's limit respected."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    available = _kibibytes("/proc/meminfo", "MemAvailable")
    limit = CGROUP / "memory.max"  # cgroup v2, as containers see their own
    if not limit.exists() or (most := limit.read_text("ascii").strip()) == "max":
        return available
    return min(available, int(most) - int((CGROUP / "memory.current").read_text("ascii")))


def _kibibytes(file: str, field: str) -> int:
    lines = Path(file).read_text("ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{field}:"))

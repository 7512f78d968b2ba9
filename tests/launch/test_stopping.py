"""SIGTERM ends a run as Ctrl-C does, with 143, in one sentence and with nothing left."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hrm_ray import settings
from tests.conftest import ROOT
from tests.launch.head import processes_of, wait_until
from tests.train.conftest import run_config

HANDLER = """
import signal, sys, threading
from hrm_ray.interrupts import interrupt_on_sigterm, sigterm_kept

if "ignored" in sys.argv:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
terminated = interrupt_on_sigterm()
assert not terminated()
try:
    with sigterm_kept():
        if "replaced" in sys.argv:
            signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(number))
        signal.raise_signal(signal.SIGTERM)
except KeyboardInterrupt:
    assert terminated()
    signal.raise_signal(signal.SIGTERM)
"""


@pytest.mark.parametrize("case", ["plain", "ignored", "replaced"])
def test_sigterm_interrupts(case: str) -> None:
    """Also where a shell has had SIGINT ignored, and while Ray's own handler is there instead."""
    done = subprocess.run([sys.executable, "-c", HANDLER, case], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stderr.splitlines()[-1] == "KeyboardInterrupt", "the second signal found another handler"


@pytest.mark.fault
def test_a_run_of_two_workers_ends_at_sigterm(dataset: Path, tmp_path: Path) -> None:
    config = run_config(dataset, tmp_path / "runs", workers=2, epochs=10_000)
    (tmp_path / "run.yaml").write_text(settings.dump(config))
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    command = [sys.executable, "-m", "hrm_ray", "train", str(tmp_path / "run.yaml")]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=pipe, stderr=pipe, text=True) as process:
        metrics = config.run_dir / "metrics.jsonl"
        try:
            wait_until(lambda: (metrics.exists() and metrics.stat().st_size > 0) or process.poll() is not None, 200)
            process.terminate()
            out, err = process.communicate(timeout=80)
        finally:
            process.kill()
    assert process.returncode == 143, (out, err)
    assert err == "stopped by SIGTERM; the same command continues\n"
    folder = Path(f"/tmp/hrm-ray-{process.pid}-")
    wait_until(lambda: not processes_of(folder), 10)
    assert not list(folder.parent.glob(f"{folder.name}*"))

"""What is said of a failed trial, from the text that Tune keeps of its error."""

from __future__ import annotations

import ast
from pathlib import Path
from types import SimpleNamespace

import pytest

import hrm_ray
from hrm_ray.tune.follow import DIED, USERS, cause, error_text

TRACE = """ray::ImplicitFunc.train() (pid=7, ip=127.0.0.1, actor_id=1)
  File "/site-packages/ray/tune/trainable.py", line 331, in train
    raise skipped from exception_cause(skipped)
  File "/hrm_ray/tune/trial.py", line 90, in train_trial
    trainer.run()
"""

LOADERS = {("torch", "load"), ("np", "load"), ("numpy", "load"), ("pd", "read_pickle")}
UNPICKLERS = {"pickle", "cloudpickle", "dill", "joblib", "marshal", "shelve"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"{TRACE}{USERS}data/x: missing", "data/x: missing"),
        (f"{TRACE}ValueError: of several\nlines\n", "ValueError: of several"),
        ("The actor died unexpectedly before finishing this task.\n\tclass_name: ImplicitFunc\n\tpid: 7", DIED),
        (
            "Task was killed due to the node running low on memory.\nMemory on the node",
            "Task was killed due to the node ",
        ),
        ("", "it left no error"),
    ],
)
def test_a_cause_is_one_line(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "error.txt"
    path.write_text(f"Failure # 1 (occurred at 01:00)\nanother\nFailure # 2 (occurred at 02:00)\n{text}\n")
    found = cause(error_text(SimpleNamespace(error_file=str(path))))
    assert found.startswith(said)
    assert "\n" not in found


@pytest.mark.parametrize("file", [None, "/nowhere/error.txt"])
def test_a_trial_may_leave_no_error(file: str | None) -> None:
    assert cause(error_text(SimpleNamespace(error_file=file)))


def test_nothing_of_this_package_unpickles() -> None:
    """What lies on a disk is not run: neither with a pickle module nor with torch.load."""
    for path in Path(hrm_ray.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, (ast.Import, ast.ImportFrom)) else []
            module = (node.module or "") if isinstance(node, ast.ImportFrom) else ""
            assert UNPICKLERS.isdisjoint({part for name in (*names, module) for part in name.split(".")}), path
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                assert (node.value.id, node.attr) not in LOADERS, path

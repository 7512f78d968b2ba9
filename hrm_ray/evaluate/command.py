"""What `hrm-ray evaluate` and `hrm-ray generate` do and print."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import unified_diff
from pathlib import Path
from typing import Any

from rich import box
from rich.table import Table

from hrm_ray.evaluate import cache, generation
from hrm_ray.evaluate.evaluation import ALONE, Hands, evaluate, timed
from hrm_ray.evaluate.measured import in_words
from hrm_ray.evaluate.opened import open_run
from hrm_ray.files import baselines, locked, repetitions
from hrm_ray.progress import bars, console
from hrm_ray.settings import ConfigError
from hrm_ray.train import checkpoint
from hrm_ray.train.run import read_run

SHOWN = 3

ROWS = {
    "plan bits a byte": ("losses", "plan_bits_per_byte"),
    "code bits a byte": ("losses", "code_bits_per_byte"),
    "  without a plan": ("losses", "code_bits_per_byte_no_plan"),
    "plan + code bits": ("losses", "plan_and_code_bits_per_code_byte"),
    "  on validation": ("validation", "plan_and_code_bits_per_code_byte"),
    "written": ("generation", "all", "count"),
    "  valid Go": ("generation", "all", "valid_share"),
    "  at first, a change": ("generation", "all", "first_share"),
    "  improved": ("generation", "all", "improved_share"),
    "  close": ("generation", "all", "close_share"),
    "  similarity": ("generation", "all", "edit_similarity"),
    "  chrF": ("generation", "all", "chrf"),
    "  plan followed": ("generation", "all", "plan_adherence"),
    "  types clean": ("types", "clean_share"),
    "tasks": ("tasks", "count"),
    "  pass@1": ("tasks", "pass_at", "1", "mean"),
    "judge: accuracy": ("decisions", "constructed", "hidden", "balanced_accuracy"),
    "  feedback shown": ("decisions", "constructed", "shown", "balanced_accuracy"),
    "  DONE, AUC": ("decisions", "constructed", "hidden", "done_auc_among_valid"),
    "  by likelihood": ("decisions", "constructed", "hidden", "likelihood_auc_among_valid"),
}
"""What the terminal shows; docs/formats.md says what each is."""


def evaluate_all(run_dir: Path, overrides: Sequence[str], hands: Hands = ALONE) -> None:
    """Evaluate the run, its repetitions with other seeds, and the baselines that were trained beside each."""
    for one in [run_dir, *repetitions(run_dir)]:
        folders = [one, *baselines(one)]
        there = [folder for folder in folders if folder == run_dir or _has_checkpoint(folder)]
        results = [_evaluated(folder, overrides, hands) for folder in there]
        if results:
            _tell_left_out(results[0]["tasks"] or {"left_out": {}})
            console.print(comparison({result["role"]: result for result in results} | references(results[0])))
    console.print(f"{run_dir / 'evaluation.json'}; next: hrm-ray report {run_dir}")


def _tell_left_out(tasks: dict[str, Any]) -> None:
    """Of a run alone: its baselines leave out the same."""
    for task, why in tasks["left_out"].items():
        console.print(f"task {task} is left out: {why}", markup=False)


def _has_checkpoint(folder: Path) -> bool:
    if checkpoint.ranking(folder / "checkpoints"):
        return True
    console.print(f"{folder}: left out, it has no checkpoint yet")
    return False


def _evaluated(folder: Path, overrides: Sequence[str], hands: Hands) -> dict[str, Any]:
    config = read_run(folder, overrides)
    console.print(f"evaluating {folder} on {config.data} ({config.evaluate.split})")
    with locked(folder / cache.FOLDER), bars() as progress:
        return evaluate(folder, config, progress, hands)


def references(result: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return what is shown beside networks, on the same changes: a model that counts, and copying the input."""
    grams = result["ngram"]
    counted = {f"{grams['order']}-gram": grams} if grams else {}
    return counted | {"copying": {"generation": result["copying"]}}


def comparison(results: dict[str, dict[str, Any]]) -> Table:
    """Return the run beside its baselines; what one of them cannot have is a dash."""
    table = Table("", *(role.replace("_", " ") for role in results), box=box.SIMPLE)
    for title, path in ROWS.items():
        table.add_row(title, *(_cell(result, path) for result in results.values()))
    return table


def show_generated(run_dir: Path, overrides: Sequence[str]) -> None:
    """Write the first few changes of the validation fold and print them."""
    config = read_run(run_dir, ["evaluate.split=validation", *overrides])
    if config.evaluate.split == "test":
        raise ConfigError(
            "evaluate.split: the test fold is for `evaluate`, which counts its reads; generate shows validation"
        )
    console.print(f"writing {SHOWN} changes of {config.data} ({config.evaluate.split}) with {run_dir}")
    opened = open_run(run_dir, config)
    with bars() as progress, timed("generation", {}, progress) as advance:
        found = cache.attempts(opened, SHOWN, advance)
    console.print(in_words(opened), markup=False)
    for attempt in found:
        _print(attempt)


def _print(attempt: generation.Attempt) -> None:
    example = attempt.example
    wrong = attempt.diagnostic
    console.rule(f"{example.repository}#{example.number} {example.path}")
    verdict = f"not valid: {wrong.line}:{wrong.column} {wrong.message}" if wrong else "valid Go"
    code, reference = (_shown(example.before, text) for text in (attempt.code, example.code))
    parts = {"problem": example.title, "plan": attempt.plan, "code": code, "reference": reference}
    for name, text in parts.items():
        console.print(name, style="bold")
        console.print(text, markup=False)
    console.print(f"{verdict}; improved: {attempt.improved}")


def _shown(before: str, after: str) -> str:
    """Return a modification as a diff, anything else whole."""
    if not before:
        return after
    lines = unified_diff(before.split("\n"), after.split("\n"), n=1, lineterm="")
    return "\n".join([*lines][2:]) or "nothing changes"


def _cell(result: Any, path: Sequence[str]) -> str:  # noqa: ANN401 - a JSON tree
    for key in path:
        result = result.get(key) if result else None
    return "-" if result is None else f"{result:.3f}" if isinstance(result, float) else str(result)

"""What `hrm-ray evaluate` and `hrm-ray generate` do and print."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.table import Table

from hrm_ray.evaluate import cache, generation
from hrm_ray.evaluate.evaluation import evaluate, timed
from hrm_ray.evaluate.opened import open_run
from hrm_ray.progress import bars, console
from hrm_ray.settings import ConfigError
from hrm_ray.train import checkpoint
from hrm_ray.train.run import read_run

SHOWN = 3

ROWS = {
    "plan bits per byte": ("losses", "plan_bits_per_byte"),
    "code bits per byte": ("losses", "code_bits_per_byte"),
    "code bits per byte, no plan": ("losses", "code_bits_per_byte_no_plan"),
    "plan and code bits per byte of code": ("losses", "plan_and_code_bits_per_code_byte"),
    "generated": ("generation", "all", "count"),
    "valid share": ("generation", "all", "valid_share"),
    "improved share": ("generation", "all", "improved_share"),
    "plan adherence": ("generation", "all", "plan_adherence"),
    "type-clean share, of what one file decides": ("types", "clean_share"),
    "edit similarity": ("generation", "all", "edit_similarity"),
    "edit similarity of copying the input": ("generation", "all", "copy_edit_similarity"),
    "tasks that are sound and fit": ("tasks", "count"),
    "pass@1 of evaluate.tasks": ("tasks", "pass_at", "1", "mean"),
    "balanced accuracy, constructed, hidden": ("decisions", "constructed", "hidden", "balanced_accuracy"),
    "balanced accuracy, constructed, shown": ("decisions", "constructed", "shown", "balanced_accuracy"),
    "DONE told among valid, hidden": ("decisions", "constructed", "hidden", "done_auc_among_valid"),
    "the same by likelihood": ("decisions", "constructed", "hidden", "likelihood_auc_among_valid"),
}


def evaluate_all(run_dir: Path, overrides: Sequence[str], fill: cache.Fill = cache.in_turn) -> None:
    """Evaluate the run and each baseline that was trained beside it; `fill` is who writes."""
    results: dict[str, dict[str, Any]] = {}
    for one in [run_dir, *sorted(path.parent for path in run_dir.glob("baselines/*/config.yaml"))]:
        config = read_run(one, overrides)
        if one != run_dir and not checkpoint.ranking(one / "checkpoints"):
            console.print(f"{one}: left out, it has no checkpoint yet")
            continue
        console.print(f"evaluating {one} on {config.data} ({config.evaluate.split})")
        with bars() as progress:
            result = evaluate(one, config, progress, fill)
        results[result["role"]] = result
        if one == run_dir and result["tasks"]:  # the baselines have the same
            for task, why in result["tasks"]["left_out"].items():
                console.print(f"task {task} is left out: {why}", markup=False)
        if result["ngram"]:
            results[f"{result['ngram']['order']}-gram"] = result["ngram"]
    console.print(comparison(results))
    console.print(f"{run_dir / 'evaluation.json'}; next: hrm-ray report {run_dir}")


def comparison(results: dict[str, dict[str, Any]]) -> Table:
    """Return the run beside its baselines; what one of them cannot have is a dash."""
    table = Table("", *results)
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
    for attempt in found:
        _print(attempt)


def _print(attempt: generation.Attempt) -> None:
    example = attempt.example
    wrong = attempt.diagnostic
    console.rule(f"{example.repository}#{example.number} {example.path}")
    verdict = f"not valid: {wrong.line}:{wrong.column} {wrong.message}" if wrong else "valid Go"
    parts = {"problem": example.title, "plan": attempt.plan, "code": attempt.code, "reference": example.code}
    for name, text in parts.items():
        console.print(name, style="bold")
        console.print(text)
    console.print(f"{verdict}; improved: {attempt.improved}")


def _cell(result: Any, path: Sequence[str]) -> str:  # noqa: ANN401 - a JSON tree
    for key in path:
        result = result.get(key) if result else None
    return "-" if result is None else f"{result:.3f}" if isinstance(result, float) else str(result)

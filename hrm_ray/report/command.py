"""What `hrm-ray report` prints: a few generated functions, the decision with its reasons, and where the page is."""

from __future__ import annotations

from pathlib import Path

from rich.text import Text

from hrm_ray.progress import console
from hrm_ray.report import search
from hrm_ray.report.files import Sample
from hrm_ray.report.page import Report, write
from hrm_ray.report.text import visible
from hrm_ray.tune import record
from hrm_ray.tune.record import Record

PRINTED = 3


def show_report(run_dir: Path) -> None:
    """Write the page of a run or a search, and say what it says."""
    console.print(f"reporting on {run_dir}")
    found = record.read(run_dir)
    _show_run(write(run_dir)) if found is None else _show_search(found, search.write(run_dir))


def _show_search(found: Record, path: Path) -> None:
    console.print(search.conclusion(found), style="bold")
    console.print(f"report: {path}")


def _show_run(report: Report) -> None:
    """Print what the page says; the functions are chosen by hash, so that nobody chose them."""
    for shown in report.samples[:PRINTED]:
        _print(shown.sample)
    console.rule(style="dim")
    for reason in report.reasons:
        console.print(f"- {reason}")
    console.print(f"decision: {report.decision}", style="bold")
    console.print(f"report: {report.path}")


def _print(sample: Sample) -> None:
    """Print what was generated: foreign text, so as `Text` (no emoji codes) with control characters spelt out."""
    wrong = sample.diagnostic
    console.rule(Text(visible(f"{sample.repository}#{sample.number} {sample.path}")), style="dim")
    console.print(Text(visible(sample.title)), style="bold")
    console.print(Text(f"\n{visible(sample.generated) or '(nothing)'}\n"))
    verdict = f"not valid Go: line {wrong.line}, {visible(wrong.message)}" if wrong else "valid Go"
    console.print(Text(f"{verdict}; {'improved' if sample.improved else 'not improved'}"), style="dim")

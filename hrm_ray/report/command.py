"""What `hrm-ray report` prints: a few generated functions, the decision with its reasons, and where the page is."""

from __future__ import annotations

from pathlib import Path

from rich.text import Text

from hrm_ray.progress import console
from hrm_ray.report.files import Sample
from hrm_ray.report.page import write
from hrm_ray.report.text import visible

PRINTED = 3


def show_report(run_dir: Path) -> None:
    """Write the page and say what it says; the functions are chosen by hash, so that nobody chose them."""
    console.print(f"reporting on {run_dir}")
    report = write(run_dir)
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

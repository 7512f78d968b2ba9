"""What `hrm-ray report` prints: a few generated functions, the decision with its reasons, and where the page is."""

from __future__ import annotations

from pathlib import Path

from hrm_ray.progress import console
from hrm_ray.report.files import read
from hrm_ray.report.page import write
from hrm_ray.report.samples import choose

PRINTED = 3


def show_report(run_dir: Path) -> None:
    """Write the page and say what it says; the functions are chosen by hash, so that nobody chose them."""
    report = write(run_dir)
    for shown in choose(read(run_dir).samples or (), PRINTED):
        sample, wrong = shown.sample, shown.sample.diagnostic
        console.rule(f"{sample.repository}#{sample.number} {sample.path}", style="dim")
        console.print(f"{sample.title}\n", markup=False, style="bold")
        console.print(sample.generated or "(nothing)", markup=False)
        verdict = f"not valid Go: line {wrong.line}, {wrong.message}" if wrong else "valid Go"
        console.print(f"\n{verdict}; {'improved' if sample.improved else 'not improved'}", markup=False, style="dim")
    console.rule(style="dim")
    for reason in report.reasons:
        console.print(f"- {reason}", markup=False)
    console.print(f"decision: {report.decision}", style="bold", markup=False)
    console.print(f"report: {report.path}", markup=False)

"""What `hrm-ray report` prints."""

from __future__ import annotations

from pathlib import Path

import pytest

from hrm_ray.report.command import PRINTED, show_report
from hrm_ray.report.page import write
from tests.report.conftest import Folder


def test_it_says_first_what_it_does_and_last_where_the_page_is(
    folder: Folder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    show_report(folder.write(tmp_path))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"reporting on {tmp_path}"
    assert lines[-2:] == ["decision: GO", f"report: {tmp_path / 'report.html'}"]
    assert "- All four questions are answered yes." in lines


def test_it_prints_the_first_samples_of_the_page(
    folder: Folder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    show_report(folder.write(tmp_path))
    printed = [line for line in capsys.readouterr().out.splitlines() if line.startswith("queue: ")]
    assert printed == [shown.sample.title for shown in write(tmp_path).samples[:PRINTED]]
    assert len(printed) == PRINTED


def test_foreign_text_is_printed_as_it_stands(
    folder: Folder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert folder.samples is not None
    for sample in folder.samples:
        sample |= {
            "path": "a[red].go",
            "title": "[bold]x[/bold] :bug:",
            "generated": "v := s[i:][/red]\n\tb\x1b[2J\ud800",
        }
    show_report(folder.write(tmp_path))
    printed = capsys.readouterr().out
    for text in ("a[red].go", "[bold]x[/bold] :bug:", "v := s[i:][/red]", "\u2039U+001B\u203a[2J\u2039U+D800\u203a"):
        assert text in printed
    assert "\x1b" not in printed


def test_a_run_without_generations_is_reported(
    folder: Folder, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder.samples = None
    show_report(folder.write(tmp_path))
    assert "decision: NOT ENOUGH EVIDENCE" in capsys.readouterr().out

"""What lies inside of a run folder is known by its exact name."""

from __future__ import annotations

from pathlib import Path

from hrm_ray.files import baselines, repetitions


def lay(folder: Path) -> Path:
    folder.mkdir(parents=True)
    for name in ("run.json", "config.yaml"):
        (folder / name).write_text("{}")
    return folder


def test_copies_of_seeds_and_baselines_are_none(tmp_path: Path) -> None:
    seeds = [lay(tmp_path / "seeds" / name) for name in ("1", "2", "10")]
    plain = [lay(tmp_path / "baselines" / name) for name in ("equal_flops", "equal_parameters")]
    for name in ("1.bak", "2 (copy)", "03", "٣", "old"):
        lay(tmp_path / "seeds" / name)
    for name in ("equal_flops.bak", "equal_parameters-before"):
        lay(tmp_path / "baselines" / name)
    assert repetitions(tmp_path) == seeds
    assert baselines(tmp_path) == plain

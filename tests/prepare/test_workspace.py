"""What a disk refuses keeps what was finished; a mistake of the user's makes another dataset."""

from __future__ import annotations

from pathlib import Path

import pytest

from hrm_ray.collect import records
from hrm_ray.errors import DiskError, UserError
from hrm_ray.prepare import shards
from hrm_ray.prepare.workspace import workspace
from tests.limits import most_bytes_of_a_file
from tests.prepare.factory import history
from tests.prepare.test_shards import rows


@pytest.mark.parametrize(("error", "kept"), [(DiskError, True), (UserError, False), (KeyError, True)])
def test_only_a_mistake_removes_what_was_finished(tmp_path: Path, error: type[Exception], kept: bool) -> None:
    with pytest.raises(error), workspace(tmp_path, "digest") as folder:
        (folder / "finished").write_text("")
        raise error("why")
    with workspace(tmp_path, "digest") as folder:
        assert (folder / "finished").exists() == kept


@pytest.mark.fault
def test_a_file_that_a_disk_refuses_leaves_nothing(tmp_path: Path) -> None:
    with most_bytes_of_a_file(500):
        with pytest.raises(DiskError, match=r"part-0\.arrow"):
            shards.write(tmp_path / "part-0.arrow", rows(9, 0), shards.TOKENISED)
        with pytest.raises(DiskError, match=r"pulls\.parquet"):
            records.write(tmp_path / "pulls.parquet", history())
    assert not list(tmp_path.iterdir())

"""What a disk or its rights refuse is one sentence with the file's name; what may be a fault of ours stays one."""

from __future__ import annotations

import errno
import os
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from hrm_ray import cli
from hrm_ray.errors import UserError, explained
from hrm_ray.files import write_text
from tests.limits import most_bytes_of_a_file

LONG = "x" * 300


@pytest.mark.parametrize(
    "number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.ENAMETOOLONG, errno.ENOTDIR, errno.EIO]
)
def test_what_a_disk_refuses_is_the_users_to_mend(number: int) -> None:
    with pytest.raises(UserError, match=r"^some/file: "), explained():
        raise OSError(number, os.strerror(number), "some/file")
    with pytest.raises(UserError, match=r"^the/open/file: "), explained(Path("the/open/file")):
        raise OSError(number, os.strerror(number))


@pytest.mark.parametrize(
    "error", [FileNotFoundError(errno.ENOENT, "none", "file"), ValueError("os error"), KeyError(1)]
)
def test_other_errors_pass(error: Exception) -> None:
    with pytest.raises(type(error)), explained(Path("file")):
        raise error


@pytest.mark.fault
def test_a_disk_that_refuses_weights_is_named(tmp_path: Path) -> None:
    path = tmp_path / "weights.safetensors"
    with most_bytes_of_a_file(100), pytest.raises(UserError, match=str(path)), explained(path):
        save_file({"a": torch.ones(100)}, path)


@pytest.mark.fault
def test_a_text_that_a_disk_refuses_leaves_the_old_one_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "text"
    write_text(path, "old")
    with most_bytes_of_a_file(10), pytest.raises(UserError, match=str(path)):
        write_text(path, "new" * 10)
    assert [(one.name, one.read_text()) for one in tmp_path.iterdir()] == [("text", "old")]


@pytest.mark.parametrize("words", [["report", LONG], ["evaluate", f"{LONG}/run"], ["train", f"{LONG}.yaml"]])
def test_a_name_that_is_too_long_is_one_sentence(
    words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["hrm-ray", *words])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    assert len(capsys.readouterr().err.splitlines()) == 1

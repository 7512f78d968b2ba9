"""One rule for every path that a user names."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hrm_ray import settings
from hrm_ray.config import Config
from hrm_ray.errors import ConfigError
from hrm_ray.files import user_cache, write_text
from hrm_ray.form import Form
from hrm_ray.paths import is_address, local
from hrm_ray.prepare import card
from hrm_ray.prepare.workspace import publish, workspace

FORM = Form.of(Config)


def places() -> list[str]:
    """The settings that are paths, or lists of them."""
    found = {key: FORM.words(FORM.find(key.split("."))[1]) for key in FORM.every_key()}
    return [f"{key}=[{{}}]" if "list" in words else f"{key}={{}}" for key, words in found.items() if "path" in words]


SETTINGS = [
    *places(),
    "collect={{source: history, clones: [{}]}}",
    "train.mixture=[{{data: {}, weight: 0.5}}]",
]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "some.yaml"
    file.write_text("name: some\ndata: data/some\n")
    return file


def test_every_path_is_among_the_settings_tried() -> None:
    assert {one.partition("=")[0] for one in SETTINGS} >= {
        "data",
        "runs",
        "prepare.input",
        "prepare.functions",
        "prepare.tokenizer_from",
        "prepare.decontaminate.tasks",
        "model.init_from",
        "evaluate.tasks",
    }


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_home_is_put_in_the_place_of_its_sign(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, setting: str
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home of ann"))
    written = settings.dump(settings.load(file, [setting.format("~/x y")]))
    assert f"{tmp_path}/home of ann/x y" in written.replace("\n  ", " ")
    assert "~" not in written


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("place", ["$HOME/x", "a/${HOME}/x", "~nobody-at-all/x", '"a\\0b"'])
def test_what_would_become_a_strange_folder_is_refused(file: Path, setting: str, place: str) -> None:
    with pytest.raises(ConfigError) as caught:
        settings.load(file, [setting.format(place)])
    assert str(caught.value).startswith(f"--set {setting.partition('=')[0]}: ")


@pytest.mark.parametrize("setting", [one for one in SETTINGS if "clones" not in one])
@pytest.mark.parametrize("place", ["file:///data/x", "s3://bucket/x", "https://host/x"])
def test_a_url_is_no_path(file: Path, setting: str, place: str) -> None:
    with pytest.raises(ConfigError, match="URL"):
        settings.load(file, [setting.format(place)])


@pytest.mark.parametrize(
    ("named", "meant"), [("a b/c/", "a b/c"), ("./x", "x"), ("a$5", "a$5"), ("x/~", "x/~"), ("50%", "50%"), ("ä", "ä")]
)
def test_other_paths_are_what_they_are(named: str, meant: str) -> None:
    assert local(named) == local(Path(named)) == Path(meant)


def test_the_home_of_a_user_is_known() -> None:
    assert local("~root/x") == Path("~root/x").expanduser() != Path("~root/x")


@pytest.mark.parametrize("named", ["", "\0", "file:///x", os.fsdecode(b"\xff"), "$X", "${X}/y", "x" * 300, "a/" * 2100])
def test_what_is_no_path_is_refused(named: str) -> None:
    with pytest.raises(ValueError, match=r"URL|path|literally"):
        local(named)


def test_a_working_directory_that_is_not_utf_8_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    strange = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff"))
    strange.mkdir()
    monkeypatch.chdir(strange)
    with pytest.raises(ValueError, match="UTF-8"):
        local("x")
    assert local(tmp_path) == tmp_path


def test_a_working_directory_that_is_gone_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    with pytest.raises(ValueError, match="gone"):
        local("x")


@pytest.mark.parametrize(
    ("place", "is_one"),
    [
        ("https://host/a", True),
        ("file:///a", True),
        ("ann@host:a/b", True),
        ("host:a", True),
        ("a/b:c", False),
        ("x" * 300, False),
    ],
)
def test_addresses_of_clones(place: str, is_one: bool) -> None:
    assert is_address(place) is is_one


@pytest.mark.parametrize(("named", "meant"), [("~/c", "c"), ("c", ".cache"), ("", ".cache")])
def test_the_cache_of_a_user_is_never_in_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: str, meant: str
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", named)
    assert user_cache() == tmp_path / meant / "hrm-ray"


@pytest.mark.parametrize("trailing", ["", "/", "/."])
def test_a_dataset_may_lie_behind_a_link(tmp_path: Path, trailing: str) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "link").symlink_to("disk")
    with workspace(local(f"{tmp_path}/link{trailing}"), "some") as folder:
        write_text(folder / card.CARD, "{}")
        publish(folder, tmp_path / "link")
    assert (tmp_path / "disk" / card.CARD).read_text() == "{}"
    assert (tmp_path / "link").is_symlink()

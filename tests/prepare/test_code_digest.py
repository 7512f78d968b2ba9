from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import hrm_ray
from hrm_ray.prepare.code_digest import code_digest

PACKAGE = Path(hrm_ray.__file__).parent


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package without its compiled files."""
    place = tmp_path_factory.mktemp("code") / "hrm_ray"
    for name in ("collect", "golang", "prepare"):
        shutil.copytree(PACKAGE / name, place / name, ignore=shutil.ignore_patterns("__pycache__"))
    return place


def changed(package: Path, name: str, text: str) -> bool:
    """Append `text` to a file for a moment and say whether the digest is another."""
    path, before = package / name, code_digest(package)
    kept = path.read_bytes()
    path.write_bytes(kept + text.encode())
    try:
        return code_digest(package) != before
    finally:
        path.write_bytes(kept)


def test_the_place_of_the_package_does_not_matter(package: Path) -> None:
    assert code_digest(package) == code_digest(PACKAGE)


@pytest.mark.parametrize(
    "name", ["prepare/pipeline.py", "prepare/extract.py", "collect/clean.py", "collect/secrets/values.py"]
)
def test_code_counts_and_words_about_it_do_not(package: Path, name: str) -> None:
    assert changed(package, name, "\nANOTHER = 1\n")
    assert not changed(package, name, '\n# a comment\n\n"""And a text."""\n')


@pytest.mark.parametrize("name", ["collect/secrets/gitleaks.toml", "golang/helper/main.go", "prepare/data_card.md.j2"])
def test_data_files_count(package: Path, name: str) -> None:
    assert changed(package, name, "\n")


@pytest.mark.parametrize("name", ["collect/github/client.py", "collect/synthetic/__init__.py"])
def test_what_prepare_does_not_import_does_not_count(package: Path, name: str) -> None:
    assert not changed(package, name, "\nANOTHER = 1\n")


def test_a_docstring_does_not_count(package: Path) -> None:
    path, before = package / "prepare" / "extract.py", code_digest(package)
    path.write_text(path.read_text("utf-8").replace('"""', '"""Now: ', 1), "utf-8")
    assert code_digest(package) == before

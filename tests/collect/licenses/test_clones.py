"""The licence of a clone's root and of its folders."""

from __future__ import annotations

from pathlib import Path

import pytest

from hrm_ray.collect.git import Objects, opened
from hrm_ray.collect.licenses import FolderLicenses, license_of
from tests.collect.licenses.texts import BSD_2, BSD_3, MIT, text
from tests.collect.repository import Repo, go


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"LICENSE": MIT}, "MIT"),
        ({"licence.md": BSD_3, "LICENSE/notes": "x"}, "BSD-3-Clause"),
        ({"COPYING": MIT, "LICENSE.txt": BSD_2}, "BSD-2-Clause AND MIT"),
        ({"LICENSE-MIT": MIT, "LICENSE-APACHE": text("Apache-2.0"), "NOTICE": "x"}, "Apache-2.0 AND MIT"),
        ({"LICENSE": MIT, "LICENSE.enterprise": "All rights reserved."}, "NOASSERTION"),
        ({"LICENSE": MIT, "EULA.txt": "Agree."}, "NOASSERTION"),
        (
            {"LICENSE": MIT, "LICENSE.docs": "CC-BY-4.0", "license.go": "package m\n", "THIRD_PARTY_LICENSES": "x"},
            "MIT",
        ),
        ({"UNLICENSE": text("Unlicense")}, "Unlicense"),
        ({"MIT-LICENSE.txt": MIT}, "MIT"),
        ({"sub/LICENSE": MIT, "LICENSEE": MIT, "README.md": "# m\n\nMIT"}, "NOASSERTION"),
        ({"LICENSES/MIT.txt": MIT, "REUSE.toml": "version = 1\n"}, "MIT"),
        ({"LICENSES/MIT.txt": MIT, "LICENSES/LicenseRef-Own.txt": "Mine."}, "NOASSERTION"),
        ({"LICENSES/ISC.txt": text("ISC"), "LICENSE": MIT}, "MIT"),
    ],
)
def test_the_license_stands_at_the_root(tmp_path: Path, files: dict[str, str | bytes | None], expected: str) -> None:
    repo = Repo.new(tmp_path / "r")
    repo.commit("License", files)
    with opened(str(repo.path), tmp_path) as clone, Objects(clone) as objects:
        assert license_of(clone, objects) == expected


def test_a_link_is_the_file_that_it_names(tmp_path: Path) -> None:
    repo = Repo.new(tmp_path / "r")
    (repo.path / "LICENSE").symlink_to("legal/mit.txt")
    repo.commit("License", {"legal/mit.txt": MIT})
    with opened(str(repo.path), tmp_path) as clone, Objects(clone) as objects:
        assert license_of(clone, objects) == "MIT"


def test_a_licence_of_its_own_is_that_of_today_and_of_the_commit(tmp_path: Path) -> None:
    repo = Repo.new(tmp_path / "r")
    repo.commit("License", {"LICENSE": "Ours.", "was/LICENSE": text("ISC"), "was/a.go": go("a")})
    then = repo.git("rev-parse", "HEAD")
    repo.commit(
        "Change", {"LICENSE": MIT, "was/LICENSE": None, "now/in/LICENSE": text("AGPL-3.0"), "same/LICENSE": MIT}
    )
    with opened(str(repo.path), tmp_path) as clone, Objects(clone) as objects:
        licenses = FolderLicenses(clone, objects)
        paths = ("a.go", "was/a.go", "now/in/x/a.go", "now/a.go", "same/a.go", "gone/a.go")
        assert [licenses.own(path, then) for path in paths] == ["", "ISC", "AGPL-3.0", "", "", ""]
        assert [licenses.own(path) for path in paths] == ["", "", "AGPL-3.0", "", "", ""]

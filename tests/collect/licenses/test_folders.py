"""Which files state a licence, and which folder's holds for a path."""

from __future__ import annotations

import pytest

from hrm_ray.collect.licenses.folders import NOTHING, by_place, is_license, nearest, target
from tests.collect.licenses.texts import MIT, text

REUSE = """version = 1
[[annotations]]
path = "**"
SPDX-License-Identifier = "MIT"
[[annotations]]
path = ["server/**", "c*.go"]
SPDX-License-Identifier = ["AGPL-3.0-only", "MIT"]
[[annotations]]
path = "lib/*"
SPDX-FileCopyrightText = "Ann Example"
"""


NAMES = """LICENSE licence.md License.txt LICENSE-MIT LICENSE.apache2 LICENSE_APACHE2 MIT-LICENSE.txt COPYING UNLICENSE
COPYING.LESSER LICENSE.enterprise ENTERPRISE_LICENSE EULA.md LICENSING.md LICENSES
LicenseAgreement.txt COPYING3 License2.0.txt AGPL-3.0.txt LICENSE.pdf"""
OTHERS = """license.go license_test.go licenses.json .licenserc.yaml LICENSEE NOTICE PATENTS README.md LICENSE.docs
LICENSE-3RD-PARTY.md third_party_licenses.txt license-header.txt LICENSE-LOGO LICENSE.ps1 LicenseHeader.txt"""


@pytest.mark.parametrize("name", NAMES.split())
def test_names_of_licences(name: str) -> None:
    assert is_license(name)


@pytest.mark.parametrize("name", OTHERS.split())
def test_names_of_other_things(name: str) -> None:
    assert not is_license(name)


def licence(path: str, files: dict[str, str]) -> str:
    found = by_place({name: content.encode() for name, content in files.items()})
    return nearest(path, lambda place: found.get(place, NOTHING))


def test_the_nearest_folder_decides() -> None:
    files = {"LICENSE": MIT, "server/LICENSE": "Ours.", "server/api/COPYING": text("ISC"), "lib/NOTICE": "x"}
    paths = ("a.go", "server/a.go", "server/x/y/a.go", "server/api/z/a.go", "servers/a.go", "lib/a.go")
    expected = ["MIT", "NOASSERTION", "NOASSERTION", "ISC", "MIT", "MIT"]
    assert [licence(path, files) for path in paths] == expected
    assert licence("a/b.go", {"server/LICENSE": MIT}) == ""


def test_reuse_says_it_of_paths() -> None:
    files = {"REUSE.toml": REUSE, "LICENSES/MIT.txt": MIT, "lib/LICENSE": text("ISC")}
    paths = ("a.go", "c1.go", "x/c1.go", "server/x/a.go", "lib/a.go", "x/lib/a.go")
    both = "AGPL-3.0-only AND MIT"
    assert [licence(path, files) for path in paths] == ["MIT", both, "MIT", both, "ISC", "MIT"]
    assert licence("x/server/a.go", {"x/REUSE.toml": REUSE}) == both
    for broken in ("[[annotations", "annotations = 3", '[[annotations]]\nSPDX-License-Identifier = "MIT"', "\0"):
        assert licence("x/a.go", {"REUSE.toml": broken, "LICENSE": MIT}) == "NOASSERTION"


def test_where_a_link_leads() -> None:
    assert target("a/b/LICENSE", b"../../LICENSE") == target("LINK", b"./LICENSE") == "LICENSE"
    assert [target("a/LICENSE", link) for link in (b"../../x", b"/etc/passwd", b"x\nHEAD")] == ["", "", ""]

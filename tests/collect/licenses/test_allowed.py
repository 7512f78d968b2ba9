from __future__ import annotations

import pytest

from hrm_ray.collect.filters import Dropped
from hrm_ray.collect.licenses import check_license, is_allowed
from hrm_ray.collect.licenses.expressions import all_of
from hrm_ray.config import Clean


@pytest.mark.parametrize(
    ("given", "allowed"),
    [
        ("MIT", True),
        ("apache-2.0", True),
        ("MIT AND ISC", True),
        ("MIT AND GPL-3.0", False),
        ("GPL-3.0-only OR MIT", True),
        ("GPL-2.0-only OR GPL-3.0-only", False),
        ("Apache-2.0 WITH LLVM-exception", True),
        ("MIT WITH Commons-Clause", False),
        ("(MIT OR ISC) AND MPL-2.0", False),
        ("(MIT OR GPL-2.0-only) AND Apache-2.0", True),
        ("GPL-3.0-only AND (MIT OR ISC OR Zlib)", False),
        ("MIT OR true", False),
        ("MPL-2.0", False),
        ("NOASSERTION", False),
        ("", False),
    ],
)
def test_permissive_licenses_are_allowed_and_unknown_ones_are_not(given: str, allowed: bool) -> None:
    assert is_allowed(given, Clean()) == allowed
    assert is_allowed(given, Clean(licenses="any"))


@pytest.mark.parametrize("given", ["GPL-3.0", "GPL-3.0-only", "GPL-3.0-or-later", "GPL-3.0+"])
def test_the_old_names_of_a_license_are_names_of_it(given: str) -> None:
    assert is_allowed(given, Clean(licenses=("GPL-3.0",)))
    assert is_allowed(given, Clean(licenses=("GPL-3.0-only",)))


@pytest.mark.parametrize(("given", "said"), [("GPL-3.0", "under GPL-3.0"), ("NOASSERTION", "under no known license")])
def test_what_is_not_allowed_is_named(given: str, said: str) -> None:
    with pytest.raises(Dropped, match=f"pull request {said}$"):
        check_license(given, Clean())


def test_licences_that_hold_together() -> None:
    assert all_of({"MIT", "Apache-2.0 AND MIT"}) == "Apache-2.0 AND MIT"
    assert all_of({"MIT OR GPL-3.0-only", "ISC"}) == "ISC AND (MIT OR GPL-3.0-only)"
    assert all_of({"MIT", "NOASSERTION"}) == all_of([]) == "NOASSERTION"

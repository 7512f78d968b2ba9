from __future__ import annotations

from pathlib import Path

import pytest

from hrm_ray.collect.filters import Dropped
from hrm_ray.collect.git import Objects, opened
from hrm_ray.collect.licenses import check_license, identify, is_allowed, license_of
from hrm_ray.config import Clean
from tests.collect.repository import Repo
from tests.conftest import ROOT

MIT = """The MIT License (MIT)

Permission is hereby granted, free of charge, to any person obtaining a copy of this software, to deal in it.
The above copyright notice and this permission notice shall be included in
all copies or substantial portions of the Software."""
BSD = """Copyright (c) 2009 Someone. All rights reserved.

// Redistribution and use in source and binary forms, with or without
// modification, are permitted provided that the following conditions are
// met:
   * Redistributions in binary form must reproduce the above copyright notice, this list of conditions and the
following disclaimer in the documentation and/or other materials provided with the distribution."""
THIRD = """
   * Neither the name of Someone nor the names of its contributors may be used to endorse or promote products derived
from this software."""

ISC = """Permission to use, copy, modify, and/or distribute this software for any purpose with or without fee is hereby
granted"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ((ROOT / "LICENSE").read_text(), "Apache-2.0"),
        (MIT, "MIT"),
        (BSD, "BSD-2-Clause"),
        (BSD + THIRD, "BSD-3-Clause"),
        ("Mozilla Public License Version 2.0\n====\n1. Definitions", "MPL-2.0"),
        ("Licensed under the Apache License, Version 2.0 (the License)", "Apache-2.0"),
        (f"{ISC}, provided that the above copyright notice and this permission notice appear in all copies.", "ISC"),
        (f"{ISC}.", "0BSD"),
        (MIT.partition("The above")[0], "MIT-0"),
        ("This is free and unencumbered software released into the public domain.", "Unlicense"),
        ("CC0 1.0 Universal", "CC0-1.0"),
        ("2. Altered source versions must be plainly marked as such", "Zlib"),
        ("Boost Software License - Version 1.0 - August 17th, 2003", "BSL-1.0"),
        ("  GNU GENERAL PUBLIC LICENSE\n  Version 2, June 1991", "GPL-2.0"),
        ("  GNU GENERAL PUBLIC LICENSE\n  Version 3, 29 June 2007", "GPL-3.0"),
        ("  GNU LESSER GENERAL PUBLIC LICENSE\n  Version 2.1, February 1999", "LGPL-2.1"),
        ("  GNU LESSER GENERAL PUBLIC LICENSE\n  Version 3, 29 June 2007", "LGPL-3.0"),
        ("  GNU AFFERO GENERAL PUBLIC LICENSE\n  Version 3, 19 November 2007", "AGPL-3.0"),
        ("Business Source License 1.1", "BUSL-1.1"),
        (f'"Commons Clause" License Condition v1.0\n{MIT}', "LicenseRef-Commons-Clause AND MIT"),
        (f"{MIT}\nThe Software shall be used for Good, not Evil.", "JSON AND MIT"),
        ("GNU GENERAL PUBLIC LICENSE Version 3", "NOASSERTION"),
        (MIT + BSD, "BSD-2-Clause AND MIT"),
        ("SPDX-License-Identifier: MPL-2.0", "MPL-2.0"),
        (f"SPDX-License-Identifier: mit or apache-2.0\n{MIT}", "MIT OR Apache-2.0"),
        (f"SPDX-License-Identifier: Apache-2.0\n{MIT}", "NOASSERTION"),
        ("SPDX-License-Identifier: Mine", "NOASSERTION"),
        ("MIT", "NOASSERTION"),
        ("", "NOASSERTION"),
    ],
)
def test_texts(text: str, expected: str) -> None:
    assert identify(text) == expected


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"LICENSE": MIT}, "MIT"),
        ({"licence.md": BSD + THIRD, "LICENSE/notes": "x"}, "BSD-3-Clause"),
        ({"COPYING": MIT, "LICENSE.txt": BSD}, "BSD-2-Clause AND MIT"),
        ({"LICENSE-MIT": MIT, "LICENSE": MIT + BSD}, "BSD-2-Clause AND MIT"),
        ({"LICENSE": MIT, "LICENSE.other": "All rights reserved."}, "NOASSERTION"),
        ({"UNLICENSE": "free and unencumbered software released into the public domain"}, "Unlicense"),
        ({"sub/LICENSE": MIT, "LICENSEE": MIT}, "NOASSERTION"),
    ],
)
def test_the_license_stands_at_the_root(tmp_path: Path, files: dict[str, str | bytes | None], expected: str) -> None:
    repo = Repo.new(tmp_path / "r")
    repo.commit("License", files)
    with opened(str(repo.path), tmp_path) as clone, Objects(clone) as objects:
        assert license_of(clone, objects) == expected


def test_the_licences_of_the_real_data(shared_data: Path) -> None:
    texts = [path.read_text("utf-8") for path in (shared_data / "licences").glob("*.txt") if "NOTICE" not in path.name]
    assert len(texts) == 10
    assert {identify(text) for text in texts} == {"MIT", "Apache-2.0"}


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
        ("(MIT OR ISC) AND MPL-2.0", False),
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

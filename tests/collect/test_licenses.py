from __future__ import annotations

from pathlib import Path

import pytest

from hrm_ray.collect.git import Objects, opened
from hrm_ray.collect.licenses import identify, license_of
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


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ((ROOT / "LICENSE").read_text(), "Apache-2.0"),
        (MIT, "MIT"),
        (BSD, "BSD-2-Clause"),
        (BSD + THIRD, "BSD-3-Clause"),
        ("Mozilla Public License Version 2.0\n====\n1. Definitions", "MPL-2.0"),
        ("GNU GENERAL PUBLIC LICENSE Version 3", "NOASSERTION"),
        (MIT + BSD, "NOASSERTION"),
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
        ({"COPYING": MIT, "LICENSE.txt": BSD}, "NOASSERTION"),
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

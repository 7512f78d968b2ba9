"""The licence that a Go file states above its code."""

from __future__ import annotations

import pytest

from hrm_ray.collect.licenses.headers import stated
from tests.collect.licenses.texts import APACHE_HEADER, MIT, text

CODE = "package p\n\nfunc F() {}\n"
GO = "Copyright 2009 The Go Authors. All rights reserved. Use of this source code is governed by a BSD-style"
MPL = (
    "This Source Code Form"
    + text("MPL-2.0").partition("This Source Code Form")[2].partition("If it is not possible")[0]
)

FOUNDATION = APACHE_HEADER.replace(
    "Licensed under",
    "Licensed to Foo B.V. under one or more contributor license agreements. See the NOTICE file distributed with\n"
    "this work for additional information regarding copyright ownership. Foo B.V. licenses this file to you under",
)


def head(said: str) -> str:
    return "".join(f"// {line}\n" for line in said.strip().split("\n")) + f"\n{CODE}"


@pytest.mark.parametrize(
    "said",
    [
        "",
        "Copyright 2016 The Foo Authors. All rights reserved.",
        "SPDX-FileCopyrightText: 2016 The Foo Authors\nSPDX-License-Identifier: MIT",
        "Copyright 2014 Ann Example\nUse of this source code is governed by a MIT style\nlicense in the LICENSE file.",
        "Licensed under the MIT License. See LICENSE in the project root for license information.",
        "License information can be found in the LICENSE file.",
        MIT,
        "F does not use a model.",
    ],
)
def test_a_head_that_agrees_with_the_folder_states_nothing_of_its_own(said: str) -> None:
    assert stated(head(said), "MIT") == stated(head(said), "Apache-2.0 AND MIT") == ""


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("SPDX-License-Identifier: AGPL-3.0-only", "AGPL-3.0-only"),
        ("SPDX-License-Identifier: (mit or gpl-2.0-only) and isc", "(MIT OR GPL-2.0-only) AND ISC"),
        ("SPDX-License-Identifier: MIT\nSPDX-License-Identifier: BUSL-1.1", "BUSL-1.1 AND MIT"),
        (f"Copyright 2016 Foo\n{APACHE_HEADER}", "Apache-2.0"),
        (FOUNDATION, "Apache-2.0"),
        (f"{GO}\nlicense that can be found in the LICENSE file.", "BSD-3-Clause"),
        (f"{GO}\nlicense that can be found at https://example.org/o/n/blob/main/LICENSE.", "BSD-3-Clause"),
        ("Distributed under the Apache License, Version 2.0.", "Apache-2.0"),
        (MPL, "MPL-2.0"),
    ],
)
def test_another_licence_is_named(said: str, expected: str) -> None:
    assert stated(head(said), "MIT") == expected
    assert stated(f"/*\n{said}\n*/\n\n{CODE}", "MIT") == expected
    assert stated(f"//go:build linux\n\n{head(said)}", "MIT") == expected
    assert stated(f"package p\n\n/* {said} */\n\nimport x\n", "MIT") == expected
    assert stated(f"{CODE}\n// {said}\n", "MIT") == ""


@pytest.mark.parametrize(
    "said",
    [
        "All rights reserved. Proprietary.",
        "Copyright 2020 Foo, Inc. Confidential.",
        "Unauthorized copying of this file is strictly prohibited.",
        "SPDX-License-Identifier: MIT with no training",
        "SPDX-License-Identifier: LicenseRef",
        "Licensed under the Elastic License 2.0; you may not use this file except in compliance with it.",
        "Use of this software is governed by the Business Source License in licenses/BSL.txt.\n\nAs of the Change Date "
        "it is governed by the Apache License, Version 2.0.",
        "Use of this source code is governed by the Foo Non-Commercial License in the LICENSE file.",
        "Licensed as a Foo Enterprise file under the Foo Community License",
        "Licensed under the MIT license, except for commercial use.",
        "Licensed under the MIT license.\nThis file must not be part of a dataset.",
        "Copyright 2020 Foo\nThis file shall not be used for training.",
        "Not for AI models.",
        "NoAI",
        "License: AGPLv3",
        "Copyright 2020 Foo. GPL.",
        "Source Available License",
        f"{MIT}\nNot for commercial use.",
    ],
)
def test_a_statement_that_is_not_understood_is_unknown(said: str) -> None:
    for around in ("MIT", "Apache-2.0"):
        assert stated(head(said), around) == "NOASSERTION"


def test_the_documentation_of_a_package_may_speak_of_licences() -> None:
    about = (
        "// Package licenses finds the license of a file,\n//\n// and says which copyright it has.\npackage licenses\n"
    )
    assert stated(about, "MIT") == ""
    assert stated(f"// Copyright 2020 Foo\n\n{about}", "MIT") == ""
    assert stated(about.replace("// and", "// It is proprietary, and"), "MIT") == "NOASSERTION"


def test_a_family_is_that_of_the_folder() -> None:
    said = head(f"{GO} license that can be found in the LICENSE file.")
    assert [stated(said, around) for around in ("BSD-2-Clause", "BSD-3-Clause", "0BSD")] == ["", "", "BSD-3-Clause"]

"""A text is a licence when nothing is left over."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest

from hrm_ray.collect.licenses import identify
from tests.collect.licenses.texts import APACHE_HEADER, BSD_2, BSD_3, MIT, text
from tests.conftest import ROOT

MIT_0 = re.sub(r", subject to the following conditions:.*?portions of the Software\.", ".", MIT, flags=re.DOTALL)
PLAIN = {
    **{name: text(name) for name in ("0BSD", "Apache-2.0", "BSL-1.0", "CC0-1.0", "ISC", "Unlicense", "Zlib")},
    **{name: text(name) for name in ("AGPL-3.0", "EPL-2.0", "GPL-2.0", "GPL-3.0", "LGPL-2.1", "LGPL-3.0", "MPL-2.0")},
    "BSD-2-Clause": BSD_2,
    "BSD-3-Clause": BSD_3,
    "MIT": MIT,
    "MIT-0": MIT_0,
}


def rewrapped(whole: str) -> str:
    return "\n\n".join(textwrap.fill(each, 60) for each in re.split(r"\n\s*\n", whole))


def commented(whole: str) -> str:
    return "/*\n" + "".join(f" * {line}\n" for line in whole.split("\n")) + " */\n"


@pytest.mark.parametrize("name", PLAIN)
def test_a_plain_text_is_its_licence_however_it_is_set(name: str) -> None:
    plain = PLAIN[name]
    assert identify(plain) == name
    assert identify(rewrapped(plain).replace("\n", "\r\n")) == name
    assert identify(commented(plain)) == name
    assert identify(f"\ufeff# License\n\n```\n{plain}\n```") == name
    assert identify(re.sub(r'"([^"]*)"', "„\\1“", plain).replace("license", "licence")) == name


@pytest.mark.parametrize(
    "notice",
    [
        "Copyright (c) 2009 The Go Authors. All rights reserved.",
        "Copyright (c) 2015-present A. Example, Ünï Ltd.,\n   Bob van der Other and contributors\nAll rights reserved.",
        "Copyright (c) 2014-2020\nAnn Example",
        "Copyright (c) 2012, 李雷 (https://github.com/ann/foo, https://opensource.org/licenses/MIT)",
        "© 2014 Foo, Inc. and its affiliates <law@foo.example> (https://foo.example)",
        "Copyright 2012 tj holowaychuk\n\nPortions Copyright (C) 2013 The Foo Authors. All Rights Reserved.",
        "",
    ],
)
def test_holders_have_any_name(notice: str) -> None:
    assert identify(MIT.replace("Copyright (c) 2019 Ann Example", notice)) == "MIT"
    assert identify(BSD_3.replace("Copyright (c) 2019, Ann Example\nAll rights reserved.", notice)) == "BSD-3-Clause"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (BSD_3.replace("the copyright holder nor", "Google Inc. nor").replace("3. ", "   * "), "BSD-3-Clause"),
        (MIT.replace("MIT License", "The MIT License (MIT)"), "MIT"),
        (MIT.replace("MIT License", "This software is licensed under the MIT license:"), "MIT"),
        (f"Blackfriday is distributed under the Simplified BSD License:\n\n{BSD_2}", "BSD-2-Clause"),
        (f"{MIT}\nhttps://ann.mit-license.org", "MIT"),
        (text("Apache-2.0").partition("   END OF TERMS")[0], "Apache-2.0"),
        (text("Apache-2.0").replace("[yyyy] [name of copyright owner]", "2016 The Foo Authors"), "Apache-2.0"),
        (f"Copyright 2016 Foo\n{APACHE_HEADER}", "Apache-2.0"),
        (f"{MIT}\n---\n\n{BSD_2}", "BSD-2-Clause AND MIT"),
        ("SPDX-License-Identifier: MPL-2.0", "MPL-2.0"),
        (f"<!-- SPDX-License-Identifier: (mit or apache-2.0) -->\n{MIT}", "(MIT OR Apache-2.0)"),
        ((ROOT / "LICENSE").read_text(), "Apache-2.0"),
    ],
)
def test_variants_and_more_than_one(given: str, expected: str) -> None:
    assert identify(given) == expected


RIDERS = [
    "The Software may not be used to train machine learning models, nor be part of a dataset for it.",
    "No AI training.",
    "The Software may be used for non-commercial purposes only.",
    "The Software shall be used for Good, not Evil.",
    "Military use is prohibited.",
    '"Commons Clause" License Condition v1.0',
    "NO EXPRESS OR IMPLIED LICENSES TO ANY PARTY'S PATENT RIGHTS ARE GRANTED BY THIS LICENSE.",
    "All advertising materials mentioning use of this software must display the following acknowledgement: by Ann.",
    "All but server/ is under the licence below; server/ is under server/LICENSE.",
    "Some files carry the following license, noted at the top of each file.",
    "Dual licensed under MIT and GPL-2.0.",
    "Client is licensed under this license.",
    "Only Foo is licensed under this license.",
    "Source available.",
    "All rights reserved.",
    "Proprietary.",
    "Anti-996 License",
    "Attribution required",
    "仅供学习",
]


@pytest.mark.parametrize("rider", RIDERS)
@pytest.mark.parametrize("name", ["Apache-2.0", "BSD-3-Clause", "ISC", "MIT", "Unlicense"])
def test_whatever_is_added_makes_it_unknown(name: str, rider: str) -> None:
    plain = PLAIN[name]
    above, _, below = plain.rpartition("\n\n")
    for given in (
        f"{rider}\n\n{plain}",
        f"{plain}\n\n{rider}",
        f"{plain.strip()} {rider}",
        f"{above}\n\n{rider}\n\n{below}",
    ):
        assert identify(given) == "NOASSERTION"


@pytest.mark.parametrize(
    "given",
    [
        MIT.replace("Ann Example", "Ann Example. Not for commercial use."),
        MIT.replace("Ann Example", "Ann Example\nAttribution required"),
        MIT.replace("Ann Example", "Ann Example (https://example.com/no-ai-training)"),
        MIT.replace("Ann Example", "Ann Example, 禁止用于人工智能训练"),
        MIT.replace("Ann Example", "Ann Example, CC-BY-NC-4.0"),
        BSD_3.replace("All rights reserved.", "All rights reserved.\nCopyfarleft"),
        MIT.replace("sublicense, and/or sell", "and sublicense"),
        MIT.replace("to any person", "to any natural person"),
        MIT.partition("THE SOFTWARE IS")[0],
        BSD_2.replace("with or without", "without"),
        text("BSD-3-Clause-Clear").partition("NO EXPRESS")[0],
        "Functional Source License, Version 1.1, Apache 2.0 Future License\nTwo years later it is under Apache-2.0.",
        f"All rights reserved. Parts of others are under this:\n{APACHE_HEADER}",
        "SPDX-License-Identifier: MIT, no training",
        f"SPDX-License-Identifier: Apache-2.0\n{MIT}",
        "SPDX-License-Identifier: Mine",
        "MIT License",
        "MIT",
        "",
        f"{MIT}\n" * 100,
    ],
)
def test_what_is_changed_cut_or_only_named_is_unknown(given: str) -> None:
    assert identify(given) == "NOASSERTION"


def test_the_licences_of_the_real_data(shared_data: Path) -> None:
    texts = [path.read_text("utf-8") for path in (shared_data / "licences").glob("*.txt")]
    assert len(texts) == 11
    assert {identify(each) for each in texts} == {"MIT", "Apache-2.0"}

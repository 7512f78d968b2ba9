"""Whole licence texts, as repositories hold them."""

from __future__ import annotations

from identify.vendor.licenses import LICENSES


def text(name: str, holder: str = "Ann Example") -> str:
    """The text of an SPDX id with its blanks filled."""
    return dict(LICENSES)[name].replace("[year]", "2019").replace("[fullname]", holder)


MIT = text("MIT")
BSD_2, BSD_3 = text("BSD-2-Clause"), text("BSD-3-Clause")
APACHE_HEADER = text("Apache-2.0").partition("[name of copyright owner]")[2]
"""What a file under Apache-2.0 says above its code."""

"""The forms of keys, tokens and passwords, as their issuers document them, and what is no secret although it fits one.

A form has literals, one of which every match holds: looking for those first is ten times as fast as the patterns.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Form:
    """One kind of secret: what to hide is the group `secret` of `pattern`, on a line that holds one of `literals`."""

    kind: str
    literals: tuple[str, ...]
    pattern: re.Pattern[str]
    accepts: Callable[[str], bool]
    """Whether the group `secret` is one."""
    is_whole: bool = False
    """Whether it is used without what stands around it, and so hidden wherever it stands, if it looks drawn."""


def is_drawn(text: str) -> bool:
    """Whether a program may have drawn it: documentation writes `xxxx` or `your-token-here` where a token goes."""
    return _entropy(text) > 2.5 and not _STAND_IN.search(text)


def is_password(text: str) -> bool:
    """Whether it may be a password: 8 characters or more, letters and digits, 3 bits a character, and not legible.

    A password that is a word cannot be told from one.
    """
    mixed = any(map(str.isalpha, text)) and any(map(str.isdigit, text))
    if not mixed or len(text) < 8 or _entropy(text) < 3 or _STAND_IN.search(text) or _COUNTED.search(text):
        return False
    return not _is_legible(text)


def _is_legible(text: str) -> bool:
    """Whether it is made of words: of four letters on average, or of three where signs part it, as in a path."""
    words = _WORD.findall(text)
    long = max(map(len, _RUN.findall(text)), default=0) > 12
    return sum(map(len, words)) >= (4 if long else 2.7) * len(words)


_STAND_IN = re.compile(r"(?i:example|redacted|placeholder|your[-_]|changeme|x{4})|\.\.\.|%[sdvq[]|\$\{|[<{][A-Za-z]")
_COUNTED = re.compile(r"12345|abcdef|\A\d{4}-\d\d-\d\d|\Av?\d+\.\d+\.", re.IGNORECASE)
"""Counts, dates, versions and addresses."""
_DUMMY = re.compile(r"pass|passw(?:or)?d|pwd|secret|token|user|x+|\*+", re.IGNORECASE)
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_RUN = re.compile(r"[A-Za-z\d]+")


def _entropy(text: str) -> float:
    """Shannon entropy in bits a character."""
    return -sum(count / len(text) * math.log2(count / len(text)) for count in Counter(text).values())


def _token(kind: str, literals: str, pattern: str) -> Form:
    """A form that its beginning gives away; not part of a longer word, unless that is the `n` of a `\\n`."""
    begin = r"(?:(?<![\w-])(?!(?<=\\)[nrt])|(?<=\\[nrt]))"
    return Form(kind, tuple(literals.split()), re.compile(rf"{begin}{pattern}(?![\w-])", re.ASCII), is_drawn)


FORMS = (
    _token("AWS key", "AKIA ASIA", r"(?P<secret>(?:AKIA|ASIA)[A-Z\d]{16})"),
    _token("GitHub token", "ghp_ gho_ ghu_ ghs_ ghr_", r"gh[pousr]_(?P<secret>[A-Za-z\d]{36,255})"),
    _token("GitHub token", "github_pat_", r"github_pat_(?P<secret>\w{36,255})"),
    _token("GitLab token", "glpat- gldt- glrt- glptt-", r"gl(?:pat|dt|rt|ptt)-(?P<secret>[\w.-]{20,})"),
    _token("Slack token", "xox xapp-", r"(?:xox[a-z](?:\.xox[bp])?|xapp)-(?P<secret>[\w-]{16,})"),
    _token("Slack webhook", "hooks.slack.com/", r"hooks\.slack\.com/[a-z]+/(?P<secret>[\w/+-]{20,})"),
    _token("Discord webhook", "/api/webhooks/", r"discord(?:app)?\.com/api/webhooks/(?P<secret>\d+/[\w-]{40,})"),
    _token("Google key", "AIza", r"AIza(?P<secret>[\w-]{35})"),
    _token("Google key", "GOCSPX- ya29.", r"(?:GOCSPX-|ya29\.)(?P<secret>[\w-]{20,})"),
    _token("Google key", "private_key_id", r"private_key_id\W{1,8}(?P<secret>[\da-f]{40})"),
    _token("Stripe key", "k_live_ k_test_ whsec_", r"(?:[sr]k_(?:live|test)|whsec)_(?P<secret>[A-Za-z\d]{16,})"),
    _token("JSON web token", "eyJ", r"(?P<secret>eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]*)"),
    _token("npm token", "npm_", r"npm_(?P<secret>[A-Za-z\d]{36})"),
    _token("PyPI token", "pypi-", r"pypi-(?P<secret>AgE[\w-]{50,})"),
    _token("SendGrid key", "SG.", r"SG\.(?P<secret>[\w-]{16,32}\.[\w-]{32,64})"),
    _token("Twilio key", "SK", r"SK(?P<secret>[\da-f]{32})"),
    _token("Azure key", "Key=", r"(?:Account|Access)Key=(?P<secret>[A-Za-z\d+/]{40,}={0,2})"),
    _token("Azure key", "Q~", r"(?P<secret>[\w.~]{3}\dQ~[\w.~-]{31,34})"),
    _token("Telegram token", ":AA", r"\d{8,10}:(?P<secret>AA[\w-]{32,34})"),
    _token("AI service token", "sk-", r"sk-(?P<secret>[\w-]{32,})"),
    _token("AI service token", "hf_", r"hf_(?P<secret>[A-Za-z]{34})"),
    _token("DigitalOcean token", "_v1_", r"do[opr]_v1_(?P<secret>[\da-f]{64})"),
    _token("Databricks token", "dapi", r"dapi(?P<secret>[\da-f]{32})"),
    _token("Docker token", "dckr_pat_", r"dckr_pat_(?P<secret>[\w-]{27,})"),
    _token("Vault token", "hvs. hvb.", r"hv[sb]\.(?P<secret>[\w-]{24,})"),
    _token("Shopify token", "shp", r"shp(?:at|ca|pa|ss)_(?P<secret>[\da-fA-F]{32})"),
    _token("Grafana token", "glsa_ glc_", r"gl(?:sa|c)_(?P<secret>\w{32,})"),
    _token("age key", "AGE-SECRET-KEY-1", r"AGE-SECRET-KEY-1(?P<secret>[A-Z\d]{58})"),
    Form(
        "HTTP credentials",
        ("asic ", "earer "),
        re.compile(r"\b[Bb](?:asic|earer) (?P<secret>[\w+/.~-]{12,}={0,2})(?![\w-])", re.ASCII),
        lambda text: is_password(text) or (text.endswith("=") and is_drawn(text)),
        is_whole=True,
    ),
    Form(
        "password in a URL",
        ("@",),
        re.compile(r"(?<=://)[^\s/:@\"'`?#]{0,80}:(?P<secret>[^\s/:@\"'`?#\\]{4,200})@(?=[\w\[%{$<])", re.ASCII),
        lambda text: not _STAND_IN.search(text) and not _DUMMY.fullmatch(text),
        is_whole=True,
    ),
)

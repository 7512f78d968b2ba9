"""Places where a secret stands without a name: addresses, connection strings, command lines, Kubernetes' Secrets."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from hrm_ray.collect.secrets.drawn import is_drawn, is_placeholder, is_random
from hrm_ray.collect.secrets.forms import Form

_VALUE = r"(?P<secret>[^\s\"'`\\]{8,400})"
_DUMMY = re.compile(r"pass|passw(?:or)?d|pwd|secret|token|user|x+|\*+", re.IGNORECASE)
_PARTS = re.compile(r"[/?#:]")
_PORT = re.compile(r"\d{1,5}/")

_CLIENTS = (
    *("slack", "gitlab", "openai", "anthropic", "groq", "mailgun", "sendgrid", "postmark", "linear", "stripe"),
    *("discordgo", "tgbotapi", "newrelic", "linodego", "godo", "hcloud", "pagerduty"),
)
"""Packages whose clients are made with a key."""


def _is_password(text: str) -> bool:
    """Tell a password in an address, which may be a word; only a drawn one may hold what parts an address."""
    if _PARTS.search(text):
        return is_random(text) and not _PORT.match(text)
    return not is_placeholder(text) and not _DUMMY.fullmatch(text)


def _is_credential(text: str) -> bool:
    return is_random(text) or (text.endswith("=") and is_drawn(text))


def _place(kind: str, pattern: str, *literals: str, accepts: Callable[[str], bool] = is_random) -> Form:
    return Form(kind, literals, re.compile(pattern, re.ASCII), accepts, is_whole=True)


_ADDRESSES = (
    _place(
        "password in a URL",
        r"(?<=://)[^\s/:@\"'`?#]{0,80}:(?P<secret>[^\s@\"'`\\]{4,200})@(?=[\w\[%{$<])",
        "@",
        accepts=_is_password,
    ),
    _place(
        "password in a URL",
        r"[\w.+%-]{1,80}:(?P<secret>[^\s@\"'`\\]{4,200})@(?:tcp|udp|unix)\(",
        *("@tcp(", "@udp(", "@unix("),
        accepts=_is_password,
    ),
    _place(
        "password in a URL",
        r"(?<![\w.+%/-])[\w.+%-]{1,80}[:/](?!//)(?P<secret>[^\s@\"'`\\]{8,200})@(?!v\d)(?=[\w(/\[])",
        "@",
    ),
    _place("password in a URL", r"\b(?:https?|nats)://(?P<secret>[^\s/:@\"'`?#]{16,200})@(?=\w)", "@"),
    _place("password in a URL", rf"[\"'`]{_VALUE}[\"'`]\s{{0,4}}\+\s{{0,4}}[\"'`]@", '"@', "'@", "`@"),
    _place(
        "password in a list",
        rf"[\w.*-]{{1,80}}:(?:\d{{2,5}}|\*):[\w.*-]{{1,80}}:[\w.*-]{{1,80}}:{_VALUE}",
        *(":5432:", ":*:"),
    ),
    _place(
        "signed URL",
        r"(?i:[?&][\w-]{0,20}(?:sig|signature|key|code|hmac))=(?P<secret>[^\s\"'`\\&#<>,;]{8,400})",
        *("sig=", "signature=", "key=", "code=", "hmac="),
    ),
    _place("webhook", r"(?i:hooks?)/(?:[\w.-]{1,40}/){0,4}?(?P<secret>[\w.!$+=~-]{16,200})", "hook/", "hooks/"),
)
_COMMANDS = (
    _place(
        "HTTP credentials",
        r"\b[Bb](?:asic|earer) (?P<secret>[^\s\"'`\\,;<>(){}]{12,2000})",
        *("asic ", "earer "),
        accepts=_is_credential,
    ),
    _place(
        "password",
        r"(?<![\w-])-{1,2}(?:[a-zA-Z]{0,4}[uU]|user|proxy-user|a|auth)[\"'`,= ]{0,5}[\w.@%+-]{0,64}:" + _VALUE,
        *("-u", "--user", "--proxy-user", "-a", "--auth", "curl"),
    ),
    _place(
        "password",
        r"(?:mysql|mariadb|sshpass|redis-cli|docker|ldap|mongo)[^\n]{0,200}?[\"'` ]-[paPwW][\"'`,= ]{0,5}" + _VALUE,
        *("mysql", "mariadb", "sshpass", "redis-cli", "docker", "ldap", "mongo"),
    ),
    _place("password", r"\bmc (?:alias set|config host add)(?: \S{1,200}){3} " + _VALUE, "mc alias", "mc config"),
    _place("password", r"from-literal=[\w.-]{1,80}=" + _VALUE, "from-literal="),
    _place("password", r"htpasswd -\w{1,5} \S{1,200} \S{1,80} " + _VALUE, "htpasswd"),
    _place("password", rf"\becho (?:-n )?[\"']?{_VALUE}[\"']? {{0,2}}\|", "echo "),
    _place("password", rf"[\"`]-p[\"`],\s{{1,4}}[\"`]{_VALUE}[\"`]", '"-p"'),
    _place(
        "password",
        rf"\b(?:{'|'.join(_CLIENTS)})\.New\w{{0,40}}"
        rf"\((?:[\w.]{{1,40}}(?:\(\))?, |\"[^\"\s]{{0,80}}\", ){{0,2}}[\"`]{_VALUE}[\"`]",
        *(f"{client}.new" for client in _CLIENTS),
    ),
    _place(
        "password",
        rf"Equalf?\([\w.]{{0,20}},? ?[\"`]{_VALUE}[\"`], [\w.]{{0,60}}?(?i:passw(?:or)?d|secret|token|apikey)\b",
        *("password)", "passwd)", "secret)", "token)", "apikey)"),
    ),
    _place(
        "password",
        rf"[\"`]{_VALUE}[\"`] [!=]= [\w.]{{0,40}}(?i:passw|secret|token|apikey|credential)",
        *('" == ', '" != ', "` == ", "` != "),
    ),
)
PLACES = _ADDRESSES + _COMMANDS

KUBERNETES = ("kind: secret", '"kind": "secret"', '"kind":"secret"', "secret{")
"""What says that a text is a Secret, in small letters."""

_REACH = 2_000
_DATA = re.compile(r"\b(?:[dD]ata|[sS]tringData)[\"']?:")
_ENTRY = re.compile(
    r"(?:[\s{,]|\\[nt\"]|map\[string\](?:\[\]byte|string)\{)*[\"']?(?P<name>[\w.-]+)\\?[\"']?:\s{0,80}"
    r"(?:[|>][+-]?\s{0,80})?(?:\[\]byte\()?\\?[\"'`]?(?P<value>[^\s\"'`\\]*)[\"'`]?\)?",
    re.ASCII,
)
_OPEN = ("id", "version", "time")


def in_kubernetes_secrets(text: str, starts: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Yield where the drawn values of a Secret's data begin and end; at `starts` the text says that it is one."""
    done = 0
    for start in starts:
        first = max(text.rfind(mark, 0, start) + 1 for mark in ("---", "`"))
        ends = (text.find(mark, start) for mark in ("\n---", "`"))
        last = min((end for end in ends if end >= 0), default=len(text))
        first, done = max(first, start - _REACH, done), max(done, min(last, start + _REACH))
        for data in _DATA.finditer(text, first, done):
            at = data.end()
            while entry := _ENTRY.match(text, at, done):
                at = entry.end()
                if is_random(entry["value"]) and not entry["name"].lower().endswith(_OPEN):
                    yield entry.span("value")

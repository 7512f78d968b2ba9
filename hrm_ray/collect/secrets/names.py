"""Names that make what stands behind them a secret: `password`, `API_TOKEN`, `hmacKey`, an AWS id, `Login(`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from hrm_ray.collect.secrets import values
from hrm_ray.collect.secrets.drawn import is_random

LITERALS = (
    *("pass", "pw", "psk", "secret", "token", "cred", "key", "auth", "bearer", "_pat", "jwt", "cookie", "session"),
    *("csrf", "login", "identified by", "signedstring", "newcipher", "hmac.new", "newstore", "filesystemstore"),
    *("userinfo(", "bind(", "newplain", "newdialer", "akia", "asia"),
)
"""Each name, or the part of it that counts, begins with one of these, in small letters."""

_NAME = re.compile(
    r"""(?: (?i:passw(?:or)?d|passphrase|passcode|pwd|psk|secret|bearer|identified[ ]by|login|csrf
              |signedstring|newcipher|hmac\.new|newstore|filesystemstore|userinfo(?=\()|newplain|newdialer)
          | (?:[cC]red(?:ential)?s?|CRED(?:ENTIAL)?S?|(?i:jwt|cookie|session)
             |(?:(?<![a-z])|(?<=(?<![a-z])o)|(?<=basic))auth(?:orization)?|A(?:uth(?:orization)?|UTH(?:ORIZATION)?))(?![a-z])
          | (?<![a-z])pass(?![a-z]) | Pass(?![a-z]) | (?<![A-Z])PASS(?![A-Z])
          | (?<![A-Za-z])[pP][wW](?![A-Za-z]) | _PAT(?![A-Za-z]) | (?<=\.)Bind(?=\()
          | (?P<aws>(?:AKIA|ASIA)[A-Z\d]{16}(?![A-Z\d]))
          | (?P<token>(?i:token)(?!i[sz]))
          | (?P<key>(?:[Kk]ey|KEY)[sS]?(?![a-z]))
        )(?P<rest>[\w.-]{0,40})""",
    re.VERBOSE,
)
_SECRET_KEYS = (
    *("api", "secret", "access", "private", "auth", "account", "shared", "license", "licence", "encryption"),
    *("signing", "hmac", "aes", "jwt", "deploy", "my"),
)
_OPEN_KEYS = (
    *("public", "pub", "authorized", "primary", "foreign", "partition", "sort", "cache", "map", "object"),
    *("idempotency", "group", "index", "row", "unique", "lookup", "dedup", "context", "ctx", "config", "label"),
    *("annotation", "metric", "host", "range", "search", "locale", "message", "routing", "feature", "field"),
    *("attribute", "publishable", "site", "registry", "metadata", "header", "tag", "query", "param", "json", "yaml"),
    *("state", "shard", "bucket", "hashed", "hash", "websocket", "external", "content", "env", "alternate"),
)
_OPEN_TOKENS = ("page", "continuation", "next", "resume", "sync")
"""Before `key` and `token`, in small letters, these make them such that anyone may see."""

_OF_A_CIPHER = re.compile(
    r"(?:(?:, \w+)?(?: \[\]byte)?[\"']?[ \t]*:?[:=]|\(\) \[\]byte \{\s+return)[ \t]*"
    r"(?:\[\]byte[({]|(?:hex|base64)\.[\w.]{0,20}Decode)"
)
"""Behind `key` alone, its bytes make it a secret."""

_BLOB = re.compile(r"[\w+/]{4,}\Z")


def find(text: str, starts: Iterable[int], is_go: bool) -> Iterator[tuple[int, int]]:
    """Yield where the values begin and end that names make secrets; `starts`, where one of `LITERALS` begins.

    In Go source, what its strings and comments hold may be a value, and the words of its code are none.
    """
    is_value = values.test(text, is_go)
    done = 0
    for start in starts:
        name = _NAME.match(text, start) if start >= done else None
        if name and _is_of_a_secret(name):
            done = name.end()
            is_list = bool(name["aws"]) or text.startswith("(", done)
            for first, last in values.behind(text, name[0], done, is_list, is_value):
                done = last
                if not _is_in_a_blob(name):
                    yield first, last


def _is_of_a_secret(name: re.Match[str]) -> bool:
    """Tell the name of a secret from that of its hash or file, and of keys and tokens that anyone may see."""
    if values.is_of_another_thing(name["rest"]):
        return False
    if not name["key"] and not name["token"]:
        return True
    before = name.string[max(name.start() - 16, 0) : name.start()]
    of = before.lower().rstrip(" _-")
    if name["token"] or of.endswith(_SECRET_KEYS):
        return not of.endswith(_OPEN_TOKENS)
    if not before[-1:].isalnum() and before[-1:] not in ("_", "-"):
        return _OF_A_CIPHER.match(name.string, name.end()) is not None
    return not of.endswith(_OPEN_KEYS) and (name["key"][0] != "k" or before[-1] in "_-")


def _is_in_a_blob(name: re.Match[str]) -> bool:
    """Tell a name that only chance has written into a long text of a program's."""
    before = _BLOB.search(name.string, max(name.start() - 40, 0), name.start())
    return before is not None and is_random(before[0] + name[0])

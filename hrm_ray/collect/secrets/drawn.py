"""Tells a text that a program has drawn, as it draws keys and passwords, from one that people have written."""

from __future__ import annotations

import math
import re
from collections import Counter

_PLACEHOLDER = re.compile(
    r"example|redacted|placeholder|your[-_]|change[-_]?(?:me|it)|replace[-_]?(?:me|with)|x{4}|\*{3}"
    r"|\.\.\.|%[sdvqx[]|\$[{(]|[<{][A-Za-z]",
    re.IGNORECASE,
)
_COUNTED = re.compile(
    r"12345|abcdef|\A\d{4}-\d\d-\d\d|\d{4}-\d\d-\d\dT\d\d:|/aws4_request|\Av?\d+\.\d+\.|\A[\da-f]{1,4}(?::[\da-f]{0,4}){2,7}\Z|\A\d+(?:\.\d+)*[a-z]{1,3}\Z",
    re.IGNORECASE,
)
"""Counts, dates, versions, addresses and durations."""

_CODE = re.compile(r"[aA]-[zZfF](?:[^\w]|A-[ZF]|a-[zf]|0-9|\\d)|\[[^\]]*0-9|\\[sdwSDWb][*+{.]|\(\?[:A-Za-z]|\[\^")
"""Signs of a regular expression."""

_HOST = re.compile(r"(?:\w+://)?(?:[a-z\d-]+\.)+(?:com|org|net|io|dev|cloud|local|internal|svc)(?:[:/].*)?", re.DOTALL)
_NAME = re.compile(r"/?(?:[a-z]{0,12}\d{0,3}[_/.,:=-]{1,2}){1,8}[a-z]{0,12}\d{0,2}")
"""Short names that are parted by signs, as `tx0-val-1` and `last_observed_at`."""

_PUBLIC = re.compile(
    r"MFkwEwYHKoZIzj0|MHYwEAYHKoZIzj0|MCowBQYDK2V|MI[GI][\w+/]{2,4}0GCSqGSIb3DQEBAQ|MIIBIjANBgkq|MIICIjANBgkq|AAAA[BCE][\w]Nz"
    r"|[ACNOUX][A-Z2-7]{55}\Z"
)
"""Begins public keys: of X.509, of SSH and, as a whole, of NATS."""

_SAMPLE = re.compile(r"abc|xyz|123|456|789", re.IGNORECASE)
"""In a short text, the sign of a sample."""

_FOLLOWERS = (
    "abcdgilmnprstu baelu cacehiklortu dadeiosu eacdefglmnprstvx faefio geior haeio iabcdefglmnoprstvz ke ladeilostuy "
    "maeiop nacdefginost ocdlmnoprstuvw paeiloprt qu racdeimnorstuy sacehiopstu tacehiorstuy ubcelmnprst vaei wae xp ze"
)
"""Each letter with those that follow it most: 180 pairs, 87% of the pairs in the words of Go and 27% of drawn ones."""

_TERM = re.compile(
    r"aes|api|args?|aws|big|bit|body|buf|bug|bytes?|cbc|cfg|cmd|copyright|cpu|ctx|debug|dns|download|dummy|env|ext|flags|float"
    r"|fmt|gcm|gnu|gzip|hmac|hooks?|https?|input|join|json|jwt|keys?|kms|law|linux|log|max|msg|network|num|obj|objects?"
    r"|oidc|payload|proxy|pub|put|raw|rpc|rsa|sha|skip|sql|src|ssh|ssl|sync|sys|tcp|tls|tmp|txt|unknown|url|utf|uuid|web"
    r"|workflow|www|xml|xor|yaml|yml",
    re.IGNORECASE,
)
"""Words and abbreviations that Go is full of, with other pairs."""

_PAIR = re.compile("|".join(f"{row[0]}(?=[{row[1:]}])" for row in _FOLLOWERS.split()), re.IGNORECASE)
_WORD = re.compile(r"[A-Z]?[a-z]{2,}|[A-Z]{3,}(?![a-z])")
_DIGITS = re.compile(r"\d+")
_HEX = re.compile(r"[\da-f-]{16,}|[\dA-F-]{16,}")
_ESCAPE = re.compile(r"%[\dA-F]{2}|\\x00", re.IGNORECASE)
_LONGEST = 80
"""Characters that are looked at: more say no more."""


def is_placeholder(text: str) -> bool:
    """Tell a stand-in, such as `xxxx` or `your-token-here`, which documentation writes where a token goes."""
    return _PLACEHOLDER.search(text) is not None


def entropy(text: str) -> float:
    """Return the Shannon entropy in bits a character."""
    return -sum(count / len(text) * math.log2(count / len(text)) for count in Counter(text).values())


def is_drawn(text: str) -> bool:
    """Tell a text that may be drawn and is no placeholder, where its form already says that it is a secret."""
    return entropy(text) > 2.5 and not is_placeholder(text)


def is_random(text: str) -> bool:
    """Tell a text of 8 characters or more that looks drawn: not of words, which a password may be, nor of digits."""
    if len(text) < 8 or (len(text) < 12 and text.isalpha()):
        return False
    text = _ESCAPE.sub("-", text[:_LONGEST])
    numbers = len(_DIGITS.findall(text))
    if _is_legible(text, numbers) and not (numbers > 2 and _HEX.fullmatch(text)):
        return False
    return (numbers > 0 or len(text) >= 12) and entropy(text) >= 2.5 and not _is_sample(text, numbers)


def _is_legible(text: str, numbers: int) -> bool:
    """Tell a text of which half the letters and numbers are words, or a third where it has no number, or no letter."""
    letters = sum(map(str.isalpha, text))
    words = sum(len(word) for word in _WORD.findall(text) if _is_word(word))
    if not text.isascii():
        words += sum(not sign.isascii() for sign in text)
    return not letters or words >= (0.5 * (letters + numbers) if numbers else 0.3 * letters)


def _is_sample(text: str, numbers: int) -> bool:
    """Tell placeholders, counts, dates, expressions and addresses, and short texts like `abc-123` and `key-1`."""
    if len(text) < 16 and (_SAMPLE.search(text) or (numbers == 1 and (text.islower() or text.isupper()))):
        return True
    if len(text) < 28 and _NAME.fullmatch(text):
        return True
    return is_placeholder(text) or any(form.search(text) for form in (_COUNTED, _CODE)) or _is_open(text)


def _is_open(text: str) -> bool:
    """Tell public keys and addresses."""
    return _PUBLIC.match(text) is not None or _HOST.fullmatch(text) is not None


def _is_word(text: str) -> bool:
    """Tell three letters or more of which most follow one another as in words."""
    return len(text) > 2 and (len(_PAIR.findall(text)) >= 0.6 * (len(text) - 1) or bool(_TERM.fullmatch(text)))

from __future__ import annotations

import string
from random import Random

import pytest

from hrm_ray.collect.secrets.drawn import is_random
from tests.collect.planted import HEX, LETTERS


@pytest.mark.parametrize(
    ("signs", "length", "share"),
    [
        *((LETTERS, length, share) for length, share in ((12, 0.05), (16, 0.03), (24, 0.01), (64, 0.002))),
        *((HEX, length, share) for length, share in ((16, 0.02), (32, 0.002), (64, 0.001))),
        *((f"{LETTERS}-_.!$", length, share) for length, share in ((16, 0.02), (32, 0.005))),
        (f"{string.ascii_lowercase}{string.digits}", 32, 0.01),
        (f"{string.ascii_uppercase}234567", 32, 0.01),
        (string.ascii_letters, 40, 0.06),
    ],
)
def test_few_drawn_texts_are_taken_for_written_ones(signs: str, length: int, share: float) -> None:
    random = Random(length)
    missed = sum(not is_random("".join(random.choices(signs, k=length))) for _ in range(1_000))
    assert missed <= share * 1_000


@pytest.mark.parametrize(
    "text",
    [
        *("getListObjectsV2URL", "kubernetes.io/tls-acme", "x86_64-unknown-linux-gnu", "sha256sum"),
        *("application/vnd.github.v3+json", "AES-256-CBC-HMAC-SHA256", "MySQL8EntHostEnv", "golang.org/x/net/http2"),
        *("user-1234-5678", "+1-202-555-0175", "192.168.100.200", "a%20b%2Fc%20d%2B", "Пользователь-2024", "11111111a"),
    ],
)
def test_names_and_numbers_are_written(text: str) -> None:
    assert not is_random(text)

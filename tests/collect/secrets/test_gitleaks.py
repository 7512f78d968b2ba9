from __future__ import annotations

import hashlib
import string
from importlib import resources
from random import Random

import pytest
import re2

from hrm_ray.collect.secrets import find, gitleaks
from tests.collect.planted import HEX, LETTERS

FILES = resources.files("hrm_ray.collect.secrets")


def test_the_file_is_the_one_of_v8_30_1_and_its_licence_lies_beside_it() -> None:
    digest = hashlib.sha256(FILES.joinpath("gitleaks.toml").read_bytes()).hexdigest()
    assert digest == "e163e53b9e7e8a8511e77271e2b323ed057759542a6d988258afe3a1fa329caf"
    assert FILES.joinpath("gitleaks.LICENSE").read_text("utf-8").startswith("MIT License")


def test_every_rule_of_a_text_loads_and_those_that_are_unused_are_known() -> None:
    given = gitleaks.read()["rules"]
    assert len(given) == 222
    assert all(re2.compile(rule["regex"]) for rule in given if "regex" in rule)
    used = {rule.kind for rule in gitleaks.rules()}
    unused = {rule["id"] for rule in given if f"{rule['id'].replace('-', ' ')} (gitleaks)" not in used}
    of_files = {"freemius-secret-key", "hashicorp-tf-password", "kubernetes-secret-yaml", "nuget-config-password"}
    assert unused == {*gitleaks.UNUSED, *of_files, "pkcs12-file"}
    assert all(rule.literals for rule in gitleaks.rules())


@pytest.mark.parametrize(
    ("text", "signs", "length"),
    [
        *(("ATATT3{}", f"{LETTERS}_-", 186), ("jira_token = {}", LETTERS.lower(), 24)),
        *(("Qz38abcd1234Xy.atlasv1.{}", f"{LETTERS}_-", 66), ("gsk_{}", LETTERS, 52), ("xai-{}", LETTERS, 80)),
        *(("NRAK-{}", string.ascii_uppercase + string.digits, 27), ("lin_api_{}", LETTERS, 40)),
        *(("mailgun: 'key-{}'", HEX, 32), ("key-{}", HEX, 32), ("PMAK-{}-a1b2c3d4e5f6a7b8c9", HEX, 24)),
        *(("figd_{}", LETTERS, 40), ("tskey-auth-{}", LETTERS, 40), ("dt0c01.{}.x", LETTERS.upper(), 24)),
        *(
            ("pul-{}", HEX, 40),
            ("rubygems_{}", HEX, 48),
            ("pscale_tkn_{}", LETTERS, 43),
            ("ntn_39582074612{}", LETTERS, 35),
        ),
        *(("shippo_live_{}", HEX, 40), ("dp.pt.{}", LETTERS, 43), ("sntryu_{}", HEX, 64), ("ops_eyJ{}", LETTERS, 260)),
        *(("cloudflare_key = {}", HEX, 37), ("datadog_key: '{}'", LETTERS.lower(), 40), ("adafruit: {}", HEX, 32)),
    ],
)
def test_keys_of_many_issuers_are_found(text: str, signs: str, length: int) -> None:
    random = Random(length)
    for _ in range(5):
        secret = f"{''.join(random.choices(signs, k=length - 2))}{random.choice('0123456789')}{random.choice('abcdef')}"
        source = text.replace("{}", secret if signs != signs.upper() else secret.upper())
        clean = f'x := "{source}"'
        for found in find(clean):
            assert len(found.text) == len(found.placeholder)
            clean = clean.replace(found.text, found.placeholder)
        assert secret not in clean
        assert not list(find(clean))


def test_a_token_keeps_what_its_issuer_begins_it_with() -> None:
    (found,) = find(f"// shippo_live_{'a1b2c3d4e5f60789' * 2}a1b2c3d4")
    assert found.placeholder.startswith("shippo_REDACTED")

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hrm_ray.collect import records
from hrm_ray.collect.secrets import find
from hrm_ray.collect.secrets.finding import stand_in
from tests.collect.planted import planted, private_key

NAMES = sorted(planted(0))


def without(text: str, spoken: bool = False) -> str:
    for found in find(text, spoken):
        text = text.replace(found.text, found.placeholder)
    return text


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("form", ["// note: %s, see\n", "x := `%s`\n", 'fmt.Println("\\n%s")\n'])
def test_every_kind_is_found_in_comments_and_strings(name: str, form: str) -> None:
    for seed in range(20):
        text, secret = planted(seed)[name]
        source = "package a\n\n" + form.replace("%s", text.replace('"', '\\"') if '"' in form else text)
        clean = without(source)
        assert secret not in clean, source
        assert (len(clean), clean.count("\n")) == (len(source), source.count("\n"))
        assert not list(find(clean))


@pytest.mark.parametrize("name", NAMES)
def test_every_kind_is_found_in_plain_text(name: str) -> None:
    for seed in range(20):
        text, secret = planted(seed)[name]
        assert secret not in without(f"It said:\n\n{text}\n\nand stopped.", spoken=True), text


@pytest.mark.parametrize(
    "value",
    [r"\x41b3Kq83ksLq02m", r"a1Kq83ks\u00e9Lq02mK9", r"9f8a7b6c5d4e\xff3g", r"b3Kq83\\ksLq02m", r"\\b3Kq83ksLq02"],
)
@pytest.mark.parametrize("form", ['var password = "{}"', "secret: `{}`,", r'x := "{{\"token\": \"{}\"}}"'])
def test_a_value_may_hold_a_backslash(value: str, form: str) -> None:
    assert value not in without(form.format(value))


@pytest.mark.parametrize("text", ["password: {}", "the token is: {} or so", "secret={}", "API key = {}"])
def test_plain_text_needs_no_quotes(text: str) -> None:
    assert "a1Kq83ksLq02m" not in without(text.format("a1Kq83ksLq02m"), spoken=True)


@pytest.mark.parametrize("kind", ["RSA PRIVATE KEY", "PRIVATE KEY", "EC PRIVATE KEY", "OPENSSH PRIVATE KEY"])
@pytest.mark.parametrize(
    "form",
    [
        lambda lines: "var key = `" + "\n".join(lines) + "`\n",
        lambda lines: "var key = " + " +\n\t".join(f'"{line}\\n"' for line in lines) + "\n",
        lambda lines: 'const key = "' + "\\n".join(lines) + '"\n',
        lambda lines: '{"private_key": "' + "\\n".join(lines) + '"}',
        lambda lines: "\n".join(lines[:-2]),
    ],
)
def test_private_keys_in_every_layout(kind: str, form: object) -> None:
    assert callable(form)
    lines = private_key(3, kind)
    text = form(lines)
    clean = without(text)
    assert not any(line in clean for line in lines[1:-1])
    assert f"-----BEGIN {kind}-----" in clean
    assert (len(clean), clean.count("\n"), clean.count("\\n")) == (len(text), text.count("\n"), text.count("\\n"))


def test_markers_of_a_key_are_not_one() -> None:
    code = 'begin := "-----BEGIN RSA PRIVATE KEY-----"\nprivateKeyEndMarker := "-----END RSA PRIVATE KEY-----"\n'
    assert not list(find(code))


@pytest.mark.parametrize(
    "text",
    [
        'token := "AKIAIOSFODNN7EXAMPLE"',
        'password := "your-password-here1"',
        'token = "ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"',
        'secret: "custom-private-key-2.pub"',
        'token := os.Getenv("GITHUB_TOKEN_2")',
        'credentials: "http://169.254.170.2"',
        'password_expires_at: "2016-11-06T15:32:17.000000"',
        'const tokenPath = "/var/run/secrets/v1/token2"',
        "https://user:password@example.com and https://user:pass@host and https://$USER:${PASS}@host",
        'fmt.Sprintf("https://x-access-token:%s@github.com", token)',
        'fmt.Sprintf("%s://%s:%s@%s", a, b, c, d)',
        '// token\n\nimport "go.etcd.io/etcd/api/v3/v3rpc/rpctypes"',
        "task-1234567890abcdefghijklmnopqrstuvwxyz012345",
        "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        'commit := "d4fee7b3f9c2ef4284a5ca7be0ee200cf15b6f8d"',
        "git@github.com:owner/name.git",
        "Basic authentication and bearer authorization",
        'key := map[string]string{"apiVersion": "apps/v1beta1"}',
        "-----BEGIN CERTIFICATE-----\nMIIDdzCCAl+gAwIBAgIEAgAAuTANBgkqhkiG9w0BAQUFADBaMQswCQYDVQQGEwJJ\n",
    ],
)
def test_what_only_looks_like_one_is_left_alone(text: str) -> None:
    assert not list(find(text))


@given(st.text(min_size=1), st.text(min_size=1))
def test_a_stand_in_is_as_long_and_tells_secrets_apart(one: str, other: str) -> None:
    assert len(stand_in(one)) == len(one)
    assert stand_in(one) == stand_in(one)
    if min(len(one), len(other)) >= 12 and one != other:
        assert stand_in(one) != stand_in(other)


@given(st.lists(st.sampled_from([*"abK9_-.:/@=\"'`\n\\ +", "password", "token=", "ghp_", "://", "eyJ", "PRIVATE KEY"])))
def test_what_was_hidden_is_not_found_again(parts: list[str]) -> None:
    clean = without("".join(parts), spoken=True)
    assert not list(find(clean, spoken=True))


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "text",
    [
        *("eyJ" * 70_000, "://" * 70_000 + "@", "-----BEGIN PRIVATE KEY-----" * 8_000, '"a' * 100_000, "=a1" * 70_000),
        *("password" * 25_000 + '="a1B2c3D4"', "Basic " * 40_000, "a1" * 90_000 + "=", "sk-" * 70_000, ":AA1" * 50_000),
    ],
)
def test_no_line_takes_quadratic_time(text: str) -> None:
    assert len(list(find(text, spoken=True))) <= len(text)


def test_the_real_data_holds_few_and_all_of_them_are_tokens(shared_data: Path) -> None:
    found = {
        (secret.kind, secret.text)
        for each in records.read(shared_data / "go_prs_train.parquet")
        for file in each.files
        for secret in find(file.content_after)
    }
    assert {kind for kind, _ in found} == {"JSON web token", "password", "HTTP credentials"}
    assert len(found) < 20

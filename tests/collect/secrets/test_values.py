from __future__ import annotations

from collections import Counter

import pytest

from hrm_ray.collect.scrub import scrubbed_texts
from hrm_ray.golang.syntax import parse_file_ok
from tests.collect.secrets.placed import NAMED_IN_GO, NAMED_IN_TEXT, draws, with_secret

SHA1 = "d4fee7b3f9c2ef4284a5ca7be0ee200cf15b6f8d"
SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
ID = "6f1a2405-cace-4633-989a-79c74c65f22f"
SUM = "h1:YjkZLJ7K3inKgMZ0wzCU9OHqc+UqMQyXsPXnf3Cl2as="


def scrubbed_go(text: str) -> str:
    return scrubbed_texts({"go": text}, {}, Counter())["go"]


def scrubbed_text(text: str) -> str:
    return scrubbed_texts({}, {"text": text}, Counter())["text"]


@pytest.mark.parametrize("text", NAMED_IN_GO)
def test_what_a_name_makes_a_secret_goes_from_go(text: str) -> None:
    for secret in draws(len(text)):
        source = f"package a\n\n{with_secret(text, secret)}\n"
        clean = scrubbed_go(source)
        assert secret not in clean
        assert parse_file_ok(clean)
        assert (len(clean), scrubbed_go(clean)) == (len(source), clean)


@pytest.mark.parametrize("text", NAMED_IN_TEXT)
def test_what_a_name_makes_a_secret_goes_from_what_people_say(text: str) -> None:
    for secret in draws(len(text)):
        assert secret not in scrubbed_text(with_secret(text, secret))


@pytest.mark.parametrize("text", ['var token = "{}" + "{}"', 'var password = "{}" +\n\t"{}"'])
def test_both_halves_of_a_sum_go(text: str) -> None:
    for secret in draws(5):
        one, other = secret[: len(secret) // 2], secret[len(secret) // 2 :]
        clean = scrubbed_go(f"package a\n\n{text.format(one, other)}\n")
        assert one not in clean
        assert other not in clean


@pytest.mark.parametrize(
    "value",
    [
        *(
            "your-token-here",
            "changeme",
            "${TOKEN}",
            "<token>",
            "xxxxxxxxxxxxxxxx",
            "XXXX-XXXX-XXXX",
            "REPLACE_ME",
            "***",
        ),
        *("my-secret-token", "secret123", "password123", "hunter2", "token1", "dummy-token-0001", "abc123", "test1234"),
        *(
            "0123456789abcdef",
            "{{ .Token }}",
            "%s",
            "$TOKEN",
            "...",
            "env:TOKEN",
            "/run/secrets/db_password",
        ),
        *("vault:secret/data/app#password", "kubernetes.io/service-account-token", "github.com/golang-jwt/jwt/v5"),
        *("2024-01-02T15:04:05Z", "v1.2.3", "10.0.0.1:8080", "1h30m0s", "aes-256-gcm", "id_ed25519", "us-east-1"),
        *("arn:aws:secretsmanager:us-east-1:123456789012:secret:app", "ecdsa-sha2-nistp256", "correct horse battery"),
        *("00000000-0000-0000-0000-000000000000", "deadbeef", "1234567890", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
    ],
)
@pytest.mark.parametrize("form", ['token := "{}"', "// password: {}", 'SetBasicAuth("u", "{}")', "--token {}"])
def test_placeholders_words_and_versions_stay(value: str, form: str) -> None:
    text = form.replace("{}", value)
    assert scrubbed_go(text) == text
    assert scrubbed_text(text) == text.strip()


@pytest.mark.parametrize(
    "text",
    [
        f'tokenHash := "{SHA256}"',
        f'passwordSHA256 := "{SHA256}"',
        f'c := Config{{KeyID: "{SHA1}", Token: t, Commit: "{SHA1}"}}',
        f'sessionID := "{ID}"',
        f'u := User{{ID: "{ID}", Password: p}}',
        f'm := map[string]string{{"token": token, "sha": "{SHA1}"}}',
        f'tt := []T{{{{name: "valid token", hash: "{SHA256}"}}, {{name: "bad key", want: "{SHA256}"}}}}',
        *(f'{name}Key := "{SHA256}"' for name in ("public", "cache", "primary", "object")),
        f'pageToken := "{SHA1}"',
        f'authorizedKey := "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{SHA256}"',
        f"x := `\nx.org/secrets v0.0.0-20210101000000-abcdef123456/go.mod {SUM}\nx.org/oauth2 v0.11.0 {SUM}\n`",
        f'x := "vault-secret@sha256:{SHA256}"',
        f'const tokenURL = "https://h/oauth/{SHA1}"',
        f'auth := "https://h/{SHA1}/x"',
        f"// see https://github.com/org/secret-repo/commit/{SHA1}\n",
        f"// Fix the token handling of {SHA1}.\n",
        'import "github.com/a1b2c3d4e5/token"',
        f'x := "hashed_key={SHA1}"',
        f'c := C{{HashedKey: "{SHA256}", SecretRefs: nil, Data: "{SHA1}"}}',
        f'm := map[string]string{{"microsoft-windows-webauth": "{ID}"}}',
        f'const KEY_GUID = "{ID}"',
        'signingKey := "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEahHlKqDRfAcOZn0DmQBC7nQ8"',
        'authIssuer := "ABJHLOVMPA4CI6R5KLNGOB4GSLNIY7IOUPAJC4YFNDLQVIOBYQGUWVLA"',
        'h := map[string]string{"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}',
        "var authName = regexp.MustCompile(`^([a-zA-Z0-9]{1}[a-zA-Z0-9-]{0,62})$`)",
        "var tokenEnd = regexp.MustCompile(`\\s\\([0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\\)$`)",
        'Password{"tx0-key-1", "tx0-val-1"}',
        *(f'token := "{text}"' for text in ("s3.region.amazonaws.com", "rbac.k8s.io", "toFloat64", "sync_path/foo2")),
        "token := newToken(ed25519Key, x509Cert)",
        "password := cfg.DB2.Pw3",
        "sum := hmac.New(sha256.New, argon2.IDKey(p))",
        "var tokens = map[string]X509KeyPair{}",
        'hmacKey := []byte("some-secret-key")',
        'apiKey := os.Getenv("API_KEY_V2")',
        'const ids = `json:"password" db:"pw1" yaml:"secret_v2"`',
        '// The secret.\nconst issuer = "ec2.amazonaws.com"',
        "// Token returns an OAuth2Token for K8sServiceAccount.\n",
        '"edKey": edKeyStr,\n"c629:1ec4:102:304:102:304:102:304": x,',
        'x := "MIIEowIBAAKCAQEA4xgZ3eRPkwoR/pwd+xH9eWLdu0iheeLlrmD2mqWXfP9IeSKApbn3"',
    ],
)
def test_hashes_ids_addresses_and_names_stay(text: str) -> None:
    assert scrubbed_go(text) == text


def test_a_commit_in_a_message_stays() -> None:
    for text in (f"Fixes the token bug of {SHA1}", f'Revert "Add secret" ({SHA1[:10]})', f"secret/{SHA1}"):
        assert scrubbed_text(text) == text


def test_a_long_value_goes_as_a_whole() -> None:
    value = "".join(draw.replace(".", "x").replace("!", "x").replace("$", "x") for draw in draws(1) * 20)
    clean = scrubbed_go(f"package a\n\nvar y = `client-key-data: {value}`\n")
    assert not any(value[at : at + 12] in clean for at in range(len(value) - 12))

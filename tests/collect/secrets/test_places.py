from __future__ import annotations

from collections import Counter

import pytest

from hrm_ray.collect.scrub import scrubbed_texts
from hrm_ray.collect.secrets import find
from hrm_ray.golang.syntax import parse_file_ok
from tests.collect.secrets.placed import IN_A_PATH, PLACED_IN_GO, PLACED_IN_TEXT, draws, with_secret


@pytest.mark.parametrize("text", PLACED_IN_GO + IN_A_PATH)
def test_what_stands_where_secrets_do_goes_from_go(text: str) -> None:
    for secret in draws(len(text)):
        if "/" in secret and text in IN_A_PATH:
            continue
        source = f"package a\n\n{with_secret(text, secret)}\n"
        clean = scrubbed_texts({"go": source}, {}, Counter())["go"]
        assert secret not in clean
        assert parse_file_ok(clean)
        assert len(clean) == len(source)


@pytest.mark.parametrize("text", PLACED_IN_TEXT)
def test_what_stands_where_secrets_do_goes_from_what_people_say(text: str) -> None:
    for secret in draws(len(text)):
        assert secret not in scrubbed_texts({}, {"text": with_secret(text, secret)}, Counter())["text"]


@pytest.mark.parametrize(
    "text",
    [
        '"user:password@tcp(localhost:3306)/test"',
        '"root:@tcp(%s)/x"',
        '"git@github.com:org/repo.git and user@host.org:22"',
        '"registry:5000/@scope/pkg and https://h:8443/a@v1.2.3"',
        '"wireapp://CzbfFjDOQrenCbDxVmgnFw!594930e9d50bb175@wire.org"',
        '"docker run -p 8080:80 app" + "mysql -p" + "docker build -a x86_64-linux-gnu2"',
        "// curl -u user:pass https://x and curl -u $USER:$PASS",
        '"https://h/a?key=value&code=200&signature=none"',
        '"/hooks/pre-commit-2 and .git/hooks/prepare-commit-msg"',
        'a == "d4fee7b3f9c2ef4284a5" && "d4fee7b3f9c2ef4284a5" == commit',
        "`\nkind: Secret\nmetadata:\n  uid: 6f1a2405-cace-4633-989a-79c74c65f22f\ndata:\n  a: YQ==\n`",
        "`\nkind: ConfigMap\ndata:\n  sum: d4fee7b3f9c2ef4284a5ca7be0ee200cf15b6f8d\n`",
    ],
)
def test_addresses_and_commands_without_a_secret_stay(text: str) -> None:
    assert not list(find(text))
    assert not list(find(text, spoken=True))

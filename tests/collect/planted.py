"""Secrets in the forms of those who issue them, drawn anew so that no file of ours holds one."""

from __future__ import annotations

import base64
import json
import string
from random import Random

LETTERS = string.ascii_letters + string.digits
HEX = "0123456789abcdef"
BASE64 = f"{LETTERS}+/"
WORD = f"{LETTERS}_-"


def planted(seed: int) -> dict[str, tuple[str, str]]:
    """A text with a secret for each name, and the part of it that must be gone afterwards."""
    random = Random(seed)

    def draw(count: int, signs: str = LETTERS) -> str:
        # It ends in a digit, as almost all real ones hold one.
        return "".join([*random.choices(signs.strip("-_+/"), k=1), *random.choices(signs, k=count - 2), "7"])

    def around(form: str, count: int, signs: str = LETTERS) -> tuple[str, str]:
        secret = draw(count, signs)
        return form.format(secret), secret

    upper = string.ascii_uppercase + "234567"
    aws = "".join(random.choices(upper, k=16))
    account, hook = draw(10, upper), draw(10, upper)
    return {
        "AWS access key": (f"AKIA{aws}", aws),
        "AWS secret key": around('aws_secret_access_key = "{}"', 40, BASE64),
        "GitHub token": around("ghp_{}", 36),
        "GitHub server token": around("ghs_{}", 36),
        "GitHub fine-grained token": around("github_pat_11ABCDEFG0aBcDeFgHiJkL_{}", 59),
        "GitLab token": around("glpat-{}", 20, WORD),
        "Slack token": around("xoxb-123456789012-1234567890987-{}", 24),
        "Slack app token": around("xapp-1-A0B1C2D3E4F-1234567890987-{}", 64, HEX),
        "Slack webhook": around(f"https://hooks.slack.com/services/T{account}/B{hook}/{{}}", 24),
        "Discord webhook": around("https://discord.com/api/webhooks/112233445566778899/{}", 68, WORD),
        "Google key": around("AIza{}", 35, WORD),
        "Google client secret": around("GOCSPX-{}", 28, WORD),
        "Google service account": around('{{"type": "service_account", "private_key_id": "{}"}}', 40, HEX),
        "Stripe key": around("sk_live_{}", 24),
        "JSON web token": around(f"{_part({'alg': 'HS256'})}.{_part({'sub': account})}.{{}}", 43, WORD),
        "npm token": around("npm_{}", 36),
        "PyPI token": around("pypi-AgEIcHlwaS5vcmc{}", 150, WORD),
        "SendGrid key": around(f"SG.{draw(22, WORD)}.{{}}", 43, WORD),
        "Twilio key": around("SK{}", 32, HEX),
        "Azure storage key": around("AccountName=a;AccountKey={}==;EndpointSuffix=core.windows.net", 86, BASE64),
        "Azure client secret": around("Qz38Q~{}", 34, WORD),
        "Telegram token": around("1234509876:AA{}", 33, WORD),
        "OpenAI key": around("sk-proj-{}", 48),
        "Hugging Face token": _letters(random),
        "DigitalOcean token": around("dop_v1_{}", 64, HEX),
        "Databricks token": around("dapi{}", 32, HEX),
        "Docker token": around("dckr_pat_{}", 27, WORD),
        "Vault token": around("hvs.{}", 90, WORD),
        "Shopify token": around("shpat_{}", 32, HEX),
        "Grafana token": around("glsa_{}_a1b2c3d4", 32),
        "age key": around("AGE-SECRET-KEY-1{}", 58, upper),
        "password": around('password = "{}!k"', 10),
        "API key in JSON": around('"api_key": "{}"', 32, HEX),
        "environment variable": around("DB_PASSWORD={}", 20),
        "password in a URL": around("postgres://admin:{}@db.internal.net:5432/prod", 14),
        "basic authorization": around("Authorization: Basic {}=", 23),
        "bearer authorization": around('"Authorization", "Bearer {}"', 40),
    }


def private_key(seed: int, kind: str = "RSA PRIVATE KEY") -> list[str]:
    """The lines of a private key."""
    random = Random(seed)
    body = ["".join(random.choices(BASE64, k=60)) + "aB3/" for _ in range(6)]
    return [f"-----BEGIN {kind}-----", *body, f"-----END {kind}-----"]


def _part(content: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


def _letters(random: Random) -> tuple[str, str]:
    secret = "".join(random.choices(string.ascii_letters, k=34))
    return f"hf_{secret}", secret

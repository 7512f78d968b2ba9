"""The forms of keys and tokens, as their issuers document them.

A form has literals, one of which every match holds: looking for those first is ten times as fast as the patterns.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from hrm_ray.collect.secrets.drawn import is_drawn, is_random
from hrm_ray.collect.secrets.finding import Finding


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

    lines = 1
    """Lines from that of the literal on that a secret may stand on."""

    def find(self, text: str, start: int, end: int) -> Iterator[tuple[int, Finding]]:
        """Yield the secrets of this form in a part of a text, each with where it begins."""
        for match in self.pattern.finditer(text, start, end):
            if not self.accepts(match["secret"]):
                continue
            if self.is_whole and is_random(match["secret"]):
                yield match.start("secret"), Finding.of(self.kind, match["secret"])
            else:
                secret = (at - match.start() for at in match.span("secret"))
                yield match.start(), Finding.of(self.kind, match[0], *secret)


def _token(kind: str, literals: str, pattern: str) -> Form:
    """A form that its beginning gives away; not part of a longer word, unless that is the `n` of a `\\n`."""
    begin = r"(?:(?<![\w-])(?!(?<=\\)[nrt])|(?<=\\[nrt]))"
    return Form(kind, tuple(literals.split()), re.compile(rf"{begin}{pattern}(?![\w-])", re.ASCII), is_drawn)


def _issued(kind: str, prefixes: str) -> Form:
    """A form that only a prefix gives away, so that what follows has to look drawn."""
    any_prefix = "|".join(map(re.escape, prefixes.split()))
    return replace(_token(kind, prefixes, rf"(?:{any_prefix})(?P<secret>[\w.=-]{{16,2000}})"), accepts=is_random)


FORMS = (
    _token("AWS key", "AKIA ASIA", r"(?P<secret>(?:AKIA|ASIA)[A-Z\d]{16})"),
    _token("GitHub token", "ghp_ gho_ ghu_ ghs_ ghr_", r"gh[pousr]_(?P<secret>[A-Za-z\d]{36,255})"),
    _token("GitHub token", "github_pat_", r"github_pat_(?P<secret>\w{36,255})"),
    _token("GitLab token", "glpat- gldt- glrt- glptt-", r"gl(?:pat|dt|rt|ptt)-(?P<secret>[\w.-]{20,})"),
    _token("Slack token", "xox xapp-", r"(?:xox[a-z](?:\.xox[bp])?|xapp)-(?P<secret>[\w-]{16,})"),
    _token("Slack webhook", "hooks.slack.com/", r"hooks\.slack\.com/[a-z]+/(?P<secret>[\w/.!$+=~-]{20,})"),
    _token("Teams webhook", "/IncomingWebhook/", r"IncomingWebhook/(?P<secret>[\w/.!$+=~-]{16,})"),
    _token("Discord webhook", "/api/webhooks/", r"discord(?:app)?\.com/api/webhooks/(?P<secret>\d+/[\w/.!$+=~-]{16,})"),
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
    _token("Telegram token", ":AA", r"(?:bot)?\d{8,10}:(?P<secret>AA[\w.!$+=~-]{30,34})"),
    _token("AI service token", "sk-", r"sk-(?P<secret>[\w-]{32,})"),
    _token("AI service token", "hf_", r"hf_(?P<secret>[A-Za-z]{34})"),
    _token("DigitalOcean token", "_v1_", r"do[opr]_v1_(?P<secret>[\da-f]{64})"),
    _token("Databricks token", "dapi", r"dapi(?P<secret>[\da-f]{32})"),
    _token("Docker token", "dckr_pat_", r"dckr_pat_(?P<secret>[\w-]{27,})"),
    _token("Vault token", "hvs. hvb.", r"hv[sb]\.(?P<secret>[\w-]{24,})"),
    _token("Shopify token", "shp", r"shp(?:at|ca|pa|ss)_(?P<secret>[\da-fA-F]{32})"),
    _token("Grafana token", "glsa_ glc_", r"gl(?:sa|c)_(?P<secret>\w{32,})"),
    _token("Terraform token", ".atlasv1.", r"(?P<secret>[A-Za-z\d]{10,20}\.atlasv1\.[\w=-]{16,})"),
    _token("Mailgun key", "key-", r"(?:pub)?key-(?P<secret>[\da-f]{32})"),
    _issued("Atlassian token", "ATATT3 ATCTT3 ATBB"),
    _issued("New Relic key", "NRAK- NRJS- NRII- NRBR- NRRA-"),
    _token("New Relic key", "NRAL", r"(?P<secret>[\da-zA-Z]{36}NRAL)"),
    _issued("Linear key", "lin_api_ lin_oauth_"),
    _issued("Postman key", "PMAK- PMAT-"),
    _issued("AI service token", "gsk_ xai- pplx- r8_ nvapi- csk- fw_ lsv2_pt_ lsv2_sk_ tgp_v1_ jina_"),
    _issued("Supabase key", "sbp_ sb_secret_"),
    _issued("Figma token", "figd_ figo_"),
    _issued("Tailscale key", "tskey-"),
    _issued("CI token", "CCIPAT_ CCIPRJ_ bkua_ bkct_ HRKU- nfp_ sgp_"),
    _token("age key", "AGE-SECRET-KEY-1", r"AGE-SECRET-KEY-1(?P<secret>[A-Z\d]{58})"),
)

"""Texts in which `§` is a secret for its name, or its place; `AKIA§` stands for an AWS id."""

from __future__ import annotations

import string
from random import Random
from uuid import UUID

from tests.collect.planted import HEX, LETTERS

ALPHABETS = (
    LETTERS,
    HEX,
    f"{LETTERS}+/=",
    f"{LETTERS}-_",
    f"{LETTERS}-_.!$",
    f"{string.ascii_lowercase}{string.digits}",
)

NAMED_IN_GO = (
    'var hmacKey = []byte("§")',
    "var jwtKey = []byte(`§`)",
    'var key = []byte("§")',
    'const signingKey string = "§"',
    'const (\n\thost   = "x"\n\tapiKey = "§"\n)',
    'var aesKey, _ = hex.DecodeString("§")',
    'var secret, err = base64.StdEncoding.DecodeString("§")',
    'var token = strings.TrimSpace("§")',
    'var password =\n\t"§"',
    'var user, password = "admin", "§"',
    'var c = Config{User: "a", Token: "§"}',
    'var c = Config{\n\tUser:  "a",\n\tToken:\n\t\t"§",\n}',
    'var c = Config{APIKey: aws.String("§")}',
    'var c = Config{Password: Secret{Value: "§"}}',
    'var c = Config{Tokens: []string{"abc", "§"}}',
    'var c = map[string]string{"api_key": "§"}',
    'var tokens = map[string]string{\n\t"ann": "§",\n}',
    'var secrets = []string{\n\t"§",\n\t"x",\n}',
    'var h = http.Header{"X-Vault-Token": {"§"}}',
    'var e = []string{"FOO=x", "DB_PASSWORD=§"}',
    'var t = flag.String("token", "§", "the token")',
    'var t = kingpin.Flag("token", "API token.").Default("§").String()',
    'var t = &cli.StringFlag{\n\tName:  "api-key",\n\tValue: "§",\n}',
    'func f() {\n\tflag.StringVar(&token, "t", "§", "the token")\n}',
    'func f() {\n\tos.Setenv(\n\t\t"API_TOKEN",\n\t\t"§",\n\t)\n}',
    'func f() {\n\tm["password"] = "§"\n}',
    'func f() {\n\treq.Header.Set("Authorization", "token §")\n}',
    'func f() {\n\treq.Header.Set("Authorization", "Bearer "+"§")\n}',
    'func f() {\n\treq.SetBasicAuth("u", "§")\n}',
    'func f() {\n\treq.SetBasicAuth(\n\t\tc.user,\n\t\t"§",\n\t)\n}',
    'func f() {\n\tl.Bind("cn=admin,dc=x", "§")\n}',
    'func f() bool {\n\treturn password == "§"\n}',
    'func f() bool {\n\treturn "§" == c.Token\n}',
    'func getSecret() string {\n\treturn "§"\n}',
    'type C struct {\n\tT string `env:"API_TOKEN" envDefault:"§"`\n}',
    'var u = url.UserPassword("u", "§")',
    'var u = smtp.PlainAuth("", "u", "§", "h")',
    'var a = gin.BasicAuth(gin.Accounts{"foo": "§"})',
    'var a = base64.StdEncoding.EncodeToString([]byte(auth("u:§")))',
    'var c = New(WithToken("§"))',
    'var c = NewTokenAuth("id", "§")',
    'var s = sessions.NewCookieStore([]byte("§"))',
    'var m = hmac.New(sha256.New, []byte("§"))',
    'var s, e = t.SignedString([]byte("§"))',
    "var y = `\nkind: Config\npassword: §\n`",
    "var y = `\ndb:\n  auth:\n    password: '§'\n    user: x\n`",
    'var y = "user: x\\r\\npassword: §\\r\\n"',
    "var y = `\ntoken: >-\n  §\n`",
    "var y = `auth: {user: admin, password: §}`",
    "var y = `password: &pw §\n`",
    "var y = `\nenv:\n- name: DB_PASSWORD\n  value: §\n`",
    "var y = `\ncredentials:\n  main: §\n`",
    "var y = `\n[db]\nsecret_key = '§'\n`",
    "var y = `\n[auth]\nsecret : §\n`",
    'var y = `{"auth": {"token": {"value": "§"}}}`',
    'var y = "{\\"user\\": \\"a\\", \\"password\\": \\"§\\"}"',
    'var y = `{"auths": {"r.b.org": {"auth": "§"}}}`',
    'var y = `\nvariable "api_token" {\n  type    = string\n  default = "§"\n}\n`',
    "var y = `<config><password>§</password></config>`",
    'var y = `<add key="ApiKey" value="§"/>`',
    "var y = `//npm.example.com/:_authToken=§\n`",
    "var y = `machine api.b.org\n  login ann\n  password §\n`",
    "var y = `ENV API_TOKEN §\nARG GH_PAT=x\n`",
    "var y = `export GH_PAT=§\n`",
    'var y = "https://api.b.org/v1?access_token=§&x=1"',
    'var y = "GET / HTTP/1.1\\r\\nCookie: a=b; session=§; c=d\\r\\n"',
    "var y = \"CREATE USER x IDENTIFIED BY '§'\"",
    'var d = "host=db password=§ dbname=x"',
    'var d = "Server=db;User ID=sa;Password=§;Encrypt=true;"',
    'var c = credentials.NewStaticCredentials("AKIA§", "§", "")',
    'var c = []string{\n\t"AKIA§",\n\t"§",\n}',
    'var (\n\tid  = "AKIA§"\n\tsec = "§"\n)',
    'var c = "AKIA§:§"',
    'var c = C{\n\tID: "AKIA§",\n\tS:  "§",\n}',
    'var key, _ = hex.DecodeString("§")',
    'var aesKey = [32]byte([]byte("§"))',
    'var y = "pw: §"',
    "var y = `\nid: AKIA§\nkey: §\n`",
    "// password: §\nvar x = 1",
    "// The token is §\nvar x = 1",
    "// Password\n// §\nvar x = 1",
    "/*\nToken:\n    §\n*/\nvar x = 1",
    "// go run . --token § -v\nvar x = 1",
    '//\tclient.Token = "§"\nvar x = 1',
)

NAMED_IN_TEXT = (
    "curl -H 'X-Api-Key: §' https://x",
    'curl -H"Authorization: §" https://x',
    "curl --cookie 'session_token=§' https://x",
    "run it with --token § please",
    "tool --password=§",
    "tool --token \\\n  §",
    'export API_TOKEN="§"',
    "DB_PASSWORD=§ make test",
    "**Password:** `§`",
    "Here is my key: §",
    "My API key is §, do not share",
    "The old password was §.",
    "credentials: admin / §",
    "login with admin:§",
    "Token:\n```\n§\n```\n",
    "### API token\n\n§\n",
    "password (temporary): §",
    "| password | § |",
    "AKIA§\n§",
    "key AKIA§ and §",
    "AWS Access Key ID [None]: AKIA§\nAWS Secret Access Key [None]: §",
    "aws configure set aws_secret_access_key §",
    "machine x login y password §",
    '```diff\n-\ttoken := "§"\n```',
    "level=error msg=x password=§",
)

PLACED_IN_GO = (
    'var d = "app:§@tcp(db:3306)/x"',
    'var d = "app:§@unix(/tmp/mysql.sock)/x?parseTime=true"',
    'var d = "root:§@/x"',
    'var d = "root:§@(127.0.0.1:3306)/x"',
    'var d = fmt.Sprintf("%s:§@tcp(%s:%d)/%s", u, h, p, n)',
    'var d = "app:" + "§" + "@tcp(db:3306)/x"',
    'var d = "postgres://app:§@db.internal:5432/x?sslmode=disable"',
    'var d = "mongodb+srv://app:§@cluster0.abc.mongodb.net/x"',
    'var d = "redis://:§@redis:6379/0"',
    'var d = "proxy:§@10.0.0.1:3128"',
    'var d = "scott/§@h:1521/orcl"',
    'var d = "localhost:5432:*:app:§"',
    'var c = exec.Command("curl", "-u", "admin:§", "https://x")',
    'var c = exec.Command("mysql", "-uroot", "-p§")',
    'var c = exec.Command("tool", "-p", "§")',
    'var c = slack.New("§")',
    'var c = gitlab.NewClient("§")',
    'var m = mailgun.NewMailgun("d.org", "§")',
    'func f() {\n\tassert.Equal(t, "§", cfg.Password)\n}',
    'var d = "u:§@acct.snowflakecomputing.com/db"',
    'var d = "clickhouse://h:9000?username=u&password=§"',
    'var d = "sqlserver://sa:§@h:1433?database=x"',
    "var y = `\nkind: Secret\ntype: Opaque\ndata:\n  foo: §\n`",
    "var y = `\ndata:\n  bar: dHJ1ZQ==\n  foo.txt: §\nkind: Secret\n`",
    'var y = `{"kind": "Secret", "stringData": {"foo": "§"}}`',
    'var s = corev1.Secret{Data: map[string][]byte{"foo": []byte("§")}}',
    'var x = "https://b.s3.amazonaws.com/o?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=§"',
    'var x = "https://a.blob.core.windows.net/c/b?sv=2020-08-04&sp=r&sig=§"',
    'var x = "https://maps.b.org/v1?x=1&key=§"',
)

PLACED_IN_TEXT = (
    "curl -u admin:§ https://x",
    "curl -X POST \\\n  -u 'admin:§' \\\n  https://x",
    "curl -su admin:§ x",
    "http -a ann:§ https://x",
    "mysql -u root -p'§' db",
    "sshpass -p § ssh x",
    "docker login -u x -p § reg.b.org",
    "redis-cli -h x -a § ping",
    "mc alias set x https://h ACCESS §",
    "kubectl create secret generic x --from-literal=foo=§",
    "echo § | docker login --password-stdin",
)

IN_A_PATH = (
    'var x = "https://acme.webhook.office.com/webhookb2/a@b/IncomingWebhook/§/c"',
    'var x = "https://hooks.slack.com/services/T0A1B2C3D/B0A1B2C3D/§"',
    'var x = "https://canary.discord.com/api/webhooks/112233445566778899/§"',
    'var x = "https://mm.b.org/hooks/§"',
    'var d = "https://§@github.com/a/b.git"',
)


def draws(seed: int) -> list[str]:
    """Secrets of every alphabet, from 16 to 64 characters long, with a letter and a digit."""
    random = Random(seed)
    lengths = (16, 20, 24, 32, 40, 64)
    drawn = ["".join(random.choices(signs, k=length)) for signs, length in zip(ALPHABETS, lengths, strict=True)]
    return [*(f"{text[:5]}K7{text[7:]}" for text in drawn), str(UUID(int=random.getrandbits(128), version=4))]


def with_secret(text: str, secret: str, seed: int = 0) -> str:
    """The text with the secret in its place, beside an AWS id of its own."""
    random = Random(seed)
    aws = "".join(random.choices(f"{string.ascii_uppercase}234567", k=16))
    return text.replace("AKIA§", f"AKIA{aws}").replace("§", secret)

"""Ways to spoil Go that know nothing of its grammar, for `validator.py`: what is judged does not choose what is asked.

Each is a function of (code, rng); one that finds nothing to spoil returns the code as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial
from itertools import pairwise
from random import Random

Mutation = Callable[[str, Random], str]

TOKEN = re.compile(
    r"""//[^\n]*|/\*.*?\*/|`[^`]*`|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|\w+|<<=|>>=|&\^=|\.\.\.|&&|\|\||<-|\+\+|--"""
    r"""|[-+*/%&|^=!<>:]=|<<|>>|&\^|\n|[^\s\w]""",
    re.DOTALL,
)
KEYWORDS = re.findall(
    r"\w+",
    "break case chan const continue default defer else fallthrough for func go goto if import interface map package "
    "range return select struct switch type var",
)
OPERATORS = re.findall(r"\S+", "== != < > <= >= + - * / % & | ^ << >> && || = := += ! <- ++ -- ... . ,")
STRAYS = [*KEYWORDS, *OPERATORS, *"()[]{};:~\\", "x", "nil", "1", "1.5e", '"s"', "'r'", "`raw`", "int", "T", "any"]
BRACKETS = {"(": ")", "[": "]", "{": "}"}
CHARACTERS = [*"012789abefnrxX_(){}[]<>=:;,.!&|^+-*/%~\"'`\\#$@? \n\t\r", "é", "²", "\u200b", "\ufeff", "\0"]
NUMBERS = re.findall(
    r"\S+",
    "0x 0x_f 0xg 0x1p 0x1p-2 0x1.8 0b2 0b102 0b1e3 0o8 0o17 08 08.5 09i 017 1_ 1__0 _1 1_0 1e 1e+ 1E5 1.5.5 .5 5. 1i "
    "0b1i 0x1i 1.e3i 0xFFFFFFFFFFFFFFFFFFFF x² 世界",
)
TEXTS = re.findall(
    r"\S+", r"""'ab' '' 'é' '\' '\'' '\"' '\x4' '\400' '\u12' '\n "\z" "\'" "\x4" "\" " "a""b" ` `a`b` /* */ // /**/"""
)
LITERALS = [*NUMBERS, *TEXTS, '"\n"', "'\n'", "/* \n */"]
GAPS = ["", " ", "\n", ";", " ; ", "\n;", ";;", "/* c */", " // c\n"]
PROSE = (
    "Here is the updated function:",
    "This function returns an error if the value is not valid.",
    "```go",
    "```",
    "Note that x = 1",
    "TODO fix this",
    "...",
    "rest of the code",
    "# heading",
    "- item",
    "return the value",
    "The `f` function",
)


def swap(code: str, found: Sequence[re.Match[str]], rng: Random, put: Callable[[str], str]) -> str:
    """Return the code with one of what was found replaced by what `put` makes of it."""
    if not found:
        return code
    one = rng.choice(found)
    return code[: one.start()] + put(one[0]) + code[one.end() :]


def tokens(code: str, pattern: str = r"[^\n].*") -> list[re.Match[str]]:
    """Return the tokens that fit a pattern, comments left out."""
    fits = re.compile(pattern, re.DOTALL)
    return [one for one in TOKEN.finditer(code) if fits.fullmatch(one[0]) and one[0][:2] not in {"//", "/*"}]


def replaced(pattern: str, by: Sequence[str], code: str, rng: Random) -> str:
    """Replace one token that fits by one of these."""
    return swap(code, tokens(code, pattern), rng, lambda _: rng.choice(by))


def around(pattern: str, before: Sequence[str], after: Sequence[str], code: str, rng: Random) -> str:
    """Write something before and after one token that fits."""
    return swap(code, tokens(code, pattern), rng, lambda old: rng.choice(before) + old + rng.choice(after))


def swapped_tokens(code: str, rng: Random) -> str:
    """Swap two neighbours."""
    found = tokens(code)
    if len(found) < 2:
        return code
    at = rng.randrange(len(found) - 1)
    a, b = found[at : at + 2]
    return code[: a.start()] + b[0] + code[a.end() : b.start()] + a[0] + code[b.end() :]


def moved_token(code: str, rng: Random) -> str:
    """Copy one token to another place."""
    found = tokens(code)
    return around(r".*", [""], [f" {rng.choice(found)[0]}"], code, rng) if found else code


def lines_changed(how: str, code: str, rng: Random) -> str:
    """Delete, duplicate, swap, join or replace a line."""
    lines = code.split("\n")
    at = rng.randrange(len(lines))
    after = lines[at + 1 : at + 2]
    new = {
        "delete": after,
        "duplicate": [lines[at], lines[at], *after],
        "swap": [*after, lines[at]],
        "join": [" ".join([lines[at], *after])],
        "prose": [lines[at], rng.choice(PROSE), *after],
        "break": [*re.split(r"(?<=[\w(){}\[\],.]) ?", lines[at], maxsplit=rng.randint(1, 8)), *after],
    }
    return "\n".join([*lines[:at], *new[how], *lines[at + 2 :]])


def truncated(code: str, rng: Random) -> str:
    """Keep a beginning."""
    return code[: rng.randrange(len(code))]


def unfinished(code: str, rng: Random) -> str:
    """Keep a beginning and close what it left open, on the same line or on lines of their own."""
    kept = tokens(code)
    kept = kept[: rng.randint(1, len(kept))]
    opened: list[str] = []
    for one in kept:
        if one[0] in BRACKETS:
            opened.append(BRACKETS[one[0]])
        elif opened and one[0] == opened[-1]:
            opened.pop()
    between = rng.choice(["", "\n", ",\n", " "])
    return code[: kept[-1].end()] + "".join(between + closer for closer in reversed(opened))


def looping(code: str, rng: Random) -> str:
    """Repeat the last lines of a beginning, as a model does that no longer finds the end."""
    lines = code.split("\n")
    at = rng.randint(1, len(lines))
    again = lines[max(0, at - rng.randint(1, 3)) : at] * rng.randint(1, 8)
    return "\n".join([*lines[:at], *again, *rng.choice([[], ["}"], lines[at:]])])


def spliced(others: Sequence[str], code: str, rng: Random) -> str:
    """Go on as another declaration does behind the same two tokens, or behind any where it has them not."""
    found, other = tokens(code), rng.choice(others)
    following = tokens(other)
    at = rng.randrange(len(found) - 1)
    pair = [one[0] for one in found[at : at + 2]]
    ends = [b.end() for a, b in pairwise(following) if [a[0], b[0]] == pair]
    return code[: found[at + 1].end()] + other[rng.choice(ends or [one.end() for one in following]) :]


def swapped_apart(code: str, rng: Random) -> str:
    """Swap two tokens from anywhere."""
    a, b = sorted(rng.sample(tokens(code), 2), key=re.Match.start)
    return code[: a.start()] + b[0] + code[a.end() : b.start()] + a[0] + code[b.end() :]


def deleted_span(code: str, rng: Random) -> str:
    """Lose two to eight tokens that follow each other."""
    found = tokens(code)
    at = rng.randrange(len(found) - 1)
    last = min(len(found) - 1, at + rng.randint(1, 7))
    return code[: found[at].start()] + code[found[last].end() :]


def moved_lines(code: str, rng: Random) -> str:
    """Put one to three lines elsewhere."""
    lines = code.split("\n")
    at, many = rng.randrange(len(lines)), rng.randint(1, 3)
    rest, taken = lines[:at] + lines[at + many :], lines[at : at + many]
    to = rng.randint(0, len(rest))
    return "\n".join([*rest[:to], *taken, *rest[to:]])


def character(code: str, rng: Random) -> str:
    """Lose, gain or replace one character, wherever it is."""
    at = rng.randrange(len(code))
    return code[:at] + rng.choice(["", rng.choice(CHARACTERS)]) + code[at + rng.randint(0, 1) :]


def answered(code: str, rng: Random) -> str:
    """Write around the code what an assistant writes, or some of it."""
    around = (["Here is the code:", "Sure!", ""], ["```go", "```", ""], [code], ["```", ""], ["This checks it.", ""])
    return "\n".join(part for parts in around if (part := rng.choice(parts)))


def several(code: str, rng: Random) -> str:
    """Spoil in two or three of the other ways."""
    for way in rng.sample([way for way in MUTATIONS if way != "several"], rng.randint(2, 3)):
        code = MUTATIONS[way](code, rng) if len(tokens(code)) > 1 else code
    return code


def mixed_parameters(code: str, rng: Random) -> str:
    """Lose or gain a word in a list of parameters."""
    lists = list(re.finditer(r"(?<=\()[\w .*\[\],]+(?=\))", code))
    return swap(code, lists, rng, lambda old: rng.choice([deleted_word, doubled_word])(old, rng))


def deleted_word(text: str, rng: Random) -> str:
    """Lose one word."""
    return swap(text, list(re.finditer(r"\w+ ?", text)), rng, lambda _: "")


def doubled_word(text: str, rng: Random) -> str:
    """Gain one word."""
    return swap(text, list(re.finditer(r"\w+", text)), rng, lambda old: rng.choice([f"{old} {old}", f"{old}, {old}"]))


def merged(code: str, rng: Random) -> str:
    """Write a second declaration behind, badly parted as often as not."""
    other = rng.choice(
        ["func g() {}", "type T int", "var v = 1", "x := 1", "return", "}", "{", 'import "fmt"', "const c"]
    )
    between = rng.choice(["\n", " ", "; ", "\n\n", ",", ""])
    return rng.choice([f"{code}{between}{other}", f"{other}{between}{code}"])


def windows_lines(code: str, rng: Random) -> str:
    """End lines as Windows does, which changes nothing, and now and then lose a token too."""
    return replaced(r".*", [""], code, rng).replace("\n", "\r\n") if rng.random() < 0.5 else code.replace("\n", "\r\n")


def generic(code: str, rng: Random) -> str:
    """Write type parameters or arguments, right or wrong, behind what is called, declared or made."""
    names = list(re.finditer(r"(?<=func )\w+|(?<=type )\w+|\b[a-zA-Z_]\w*(?=[({]\w)", code))
    lists = [
        "[T]",
        "[T any]",
        "[int, string]",
        "[]",
        "[a:b]",
        "[K comparable, V any,]",
        "[*T]",
        "[T ~int | ~string]",
        "[T any",
        "[T,, U any]",
    ]
    return swap(code, names, rng, lambda old: old + rng.choice(lists))


def new_form(code: str, rng: Random) -> str:
    """Write what Go took up late, or what its grammars forget, for a value or behind the code; some lacks a part."""
    values = [
        "new(1 + x)",
        'new("s")',
        "new(f(x))",
        "new(*p)",
        "new([]int{1})",
        "[]byte()",
        "[]int(nil)",
        "min(a, b)",
        "f[int](x)",
        "make([]T[int], 3)",
    ]
    behind = [
        "type A[T any] = []T",
        "type A = B[int]",
        "func f() {\n\tfor range 3 {\n\t}\n}",
        "type S[T interface{ ~int }] struct{ T }",
    ]
    if rng.random() < 0.3:
        return (
            f"{code}\n{lines_changed('delete', rng.choice(behind), rng) if rng.random() < 0.5 else rng.choice(behind)}"
        )
    words = list(re.finditer(r"(?<=[(,=] )\w+\b(?! *[:=,]*=|[.{(:])|(?<=return )\w+\b(?![.{(])|(?<=\()\w+(?=\))", code))
    new = rng.choice(values)
    return swap(code, words, rng, lambda _: deleted_word(new, rng) if rng.random() < 0.3 else new)


MUTATIONS: dict[str, Mutation] = {
    "none": lambda code, _: code,
    "deleted token": partial(replaced, r"[^\n].*", [""]),
    "duplicated token": lambda code, rng: swap(code, tokens(code), rng, lambda old: f"{old} {old}"),
    "swapped tokens": swapped_tokens,
    "copied token": moved_token,
    "stray token": lambda code, rng: around(r"[^\n].*", [""], [f" {rng.choice(STRAYS)} "], code, rng),
    "replaced token": partial(replaced, r"[^\n].*", [f" {one} " for one in STRAYS]),
    "replaced operator": partial(replaced, r"[-+*/%&|^=!<>:.]{1,3}", OPERATORS),
    "replaced keyword": partial(replaced, "|".join(KEYWORDS), KEYWORDS),
    "deleted bracket": partial(replaced, r"[][(){}]", [""]),
    "replaced bracket": partial(replaced, r"[][(){}]", list("()[]{}")),
    "deleted line": partial(lines_changed, "delete"),
    "duplicated line": partial(lines_changed, "duplicate"),
    "swapped lines": partial(lines_changed, "swap"),
    "joined lines": partial(lines_changed, "join"),
    "broken line": partial(lines_changed, "break"),
    "prose": partial(lines_changed, "prose"),
    "truncated": truncated,
    "deleted comma": partial(replaced, ",", [""]),
    "comma and line end": partial(around, r"[][(){},\w]+", ["", "\n", ","], ["\n", ",\n", ",", "\n\n"]),
    "line end for a token": partial(replaced, r"[^\n].*", ["\n", ";", "; \n"]),
    "gaps": partial(around, r"[^\n].*", GAPS, GAPS),
    "mixed parameters": mixed_parameters,
    ":= on anything": partial(replaced, "=|==|:", [":="]),
    "go and defer": partial(around, r"[A-Za-z_]\w*", ["go ", "defer ", "go (", "defer func() {}"], [""]),
    "merged declarations": merged,
    "generics": generic,
    "literals": partial(replaced, r"\w+|[\"'`].*", LITERALS),
    "literal for a literal": partial(replaced, r"\d\w*|[\"'`].*", LITERALS),
    "keyword for a name": partial(replaced, r"[A-Za-z_]\w*", KEYWORDS),
    "unfinished": unfinished,
    "looping": looping,
    "swapped apart": swapped_apart,
    "deleted span": deleted_span,
    "moved lines": moved_lines,
    "character": character,
    "answered": answered,
    "several": several,
    "new forms": new_form,
    "Windows lines": windows_lines,
}

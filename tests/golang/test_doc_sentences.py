"""Titles are whole sentences, and no labels."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hrm_ray.golang.doc_sentences import says_nothing, sentences, title_and_rest

WHOLE = [
    "Pick returns the nearest, e.g. the first of two.",
    "Pick takes any kind (e.g. A. B) of node.",
    "Pick uses the beg and end (incl. comments) of a node.",
    "Pick works as follows: it sorts and takes the first.",
    "Pick is Choose, i.e. it is slow.",
    "Pick is for a, b, etc. and for c.",
    "Pick compares a vs. B and takes the greater.",
    "Pick waits 1.5 seconds, since Go 1.21.",
    "Pick calls fmt.Println.",
    "Pick reads https://example.org/a.html?b=c. d is ignored.",
    "Pick reads https://example.org/a.b.",
    "Pick waits... and waits.",
    "Pick is by Donald E. Knuth and by J. Doe.",
    "Pick is by D. E. Knuth.",
    "Pick returns item No. 5 of the list.",
    "Pick is shown in Fig. 3 and in Sec. 4.2 of the paper.",
    "Pick writes `a. B` and `c! D`.",
    'Pick prints "Done. Next." twice.',
    "Pick approximates approx. Half of them.",
    "Pick takes the U.S. Army style.",
    "Pick works w.r.t. Go's memory model.",
    "Pick is [os.File. Close] for all.",
    "Is it ready?",
    "Pick returns T.",
    "\u9009\u62e9\u6700\u8fd1\u7684\u4e00\u4e2a\u3002",
]


@pytest.mark.parametrize("sentence", WHOLE)
@pytest.mark.parametrize("rest", ["It never fails.", "Then it ends.\n\nSee Choose.", "If n < 0, it panics!"])
def test_a_title_is_a_whole_sentence(sentence: str, rest: str) -> None:
    assert title_and_rest(f"{sentence} {rest}") == (sentence, rest)
    assert title_and_rest(f"{sentence}\n\n{rest}") == (sentence, rest)
    assert title_and_rest(sentence) == (sentence, "")


def test_no_space_follows_a_wide_stop() -> None:
    assert title_and_rest("\u9009\u62e9\u3002\u5b83\u4e0d\u4f1a\u5931\u8d25\u3002") == (
        "\u9009\u62e9\u3002",
        "\u5b83\u4e0d\u4f1a\u5931\u8d25\u3002",
    )


@pytest.mark.parametrize(
    ("text", "title", "rest"),
    [
        ("Pick picks nodes. errors are ignored.", "Pick picks nodes.", "errors are ignored."),
        ("Pick takes the max. It is quick.", "Pick takes the max.", "It is quick."),
        ("Pick knows a, b, etc. It is quick.", "Pick knows a, b, etc.", "It is quick."),
        ("Pick returns X. Panics if there is none.", "Pick returns X.", "Panics if there is none."),
        ("Pick has modes:\n  - fast\n  - slow", "Pick has modes:", "- fast\n  - slow"),
        ("Pick has modes:\n\n\tfast. slow.", "Pick has modes:", "fast. slow."),
        ("Pick picks\n1. the first\n2. the last", "Pick picks", "1. the first\n2. the last"),
        ("Pick picks\none of\n two.  It\nis quick.", "Pick picks one of two.", "It\nis quick."),
        ("Pick (see Choose.) Then more.", "Pick (see Choose.)", "Then more."),
        ("Pick", "Pick", ""),
        ("", "", ""),
        (" \n ", "", ""),
    ],
)
def test_where_a_sentence_ends(text: str, title: str, rest: str) -> None:
    assert title_and_rest(text) == (title, rest)


LABELS = [
    "Deprecated: use Choose instead of this.",
    "Deprecated. Use Choose.",
    "Deprecated since 1.2, use Choose.",
    "Note: this blocks.",
    "NOTE(ann): this blocks.",
    "WARNING! This blocks.",
    "Experimental: may go.",
    "TODO(x): make it quick.",
    "TODO make it quick.",
    "BUG(x): wrong for 0.",
    "FIXME: wrong.",
    "XXX wrong.",
    "See Choose.",
    "See also: Choose.",
    "# Usage",
]


@pytest.mark.parametrize("label", LABELS)
@pytest.mark.parametrize("between", [" ", "\n\n", "\n\nSee Choose. "])
def test_a_label_is_no_title(label: str, between: str) -> None:
    between = "\n\n" if label.startswith("#") else between
    title, rest = title_and_rest(f"{label}{between}Pick picks one. It is quick.")
    assert title == "Pick picks one."
    assert " ".join(rest.split()) == " ".join(f"{label}{between}It is quick.".split())
    assert not says_nothing(f"{label}{between}Pick picks one.")


@pytest.mark.parametrize("label", LABELS)
def test_a_label_alone_says_nothing(label: str) -> None:
    assert says_nothing(label)
    title, _ = title_and_rest(label)
    assert not title.startswith(("Deprecated", "Note", "NOTE", "TODO", "BUG", "FIXME", "XXX", "WARNING", "#"))


@pytest.mark.parametrize(
    "sentence",
    ["Note returns the note.", "Deprecated reports whether x is.", "Todo lists.", "Hack is a hack.", "Seek seeks."],
)
def test_a_name_is_no_label(sentence: str) -> None:
    assert title_and_rest(f"{sentence} It is quick.") == (sentence, "It is quick.")


@given(st.text(alphabet='ab AB.!?:\n()"`1-\u3002'))
def test_sentences_are_the_text(text: str) -> None:
    assert "".join(sentences(text)).strip() == text.strip()
    assert all(one.strip() for one in sentences(text))
    assert sorted("".join(title_and_rest(text)).split()) != [] or not text.strip()

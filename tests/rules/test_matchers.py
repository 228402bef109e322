"""Alertmanager's matchers are read as Alertmanager reads them."""

from __future__ import annotations

import pytest

from relay.rules.matchers import BadMatcher, Matcher, parse


@pytest.mark.parametrize(
    ("text", "matchers"),
    [
        ('a="b"', [("a", "=", "b")]),
        ("a=b", [("a", "=", "b")]),
        ('a!="b"', [("a", "!=", "b")]),
        ('a=~"b.*"', [("a", "=~", "b.*")]),
        ("a!~b|c", [("a", "!~", "b|c")]),
        (' a = "b" ', [("a", "=", "b")]),
        ("a=", [("a", "=", "")]),
        ('a=""', [("a", "=", "")]),
        ("a=b=c", [("a", "=", "b=c")]),
        ("a==~", [("a", "=", "=~")]),
        ('{a="b",c=~"d"}', [("a", "=", "b"), ("c", "=~", "d")]),
        ('{a="b",}', [("a", "=", "b")]),
        ('a="b,c", d="e"', [("a", "=", "b,c"), ("d", "=", "e")]),
        (r'a="say \"hi\""', [("a", "=", 'say "hi"')]),
        (r'a="one\ntwo"', [("a", "=", "one\ntwo")]),
        (r'a=~"\d+"', [("a", "=~", r"\d+")]),
        (r'a="back\\slash"', [("a", "=", "back\\slash")]),
        ('a="привет мир"', [("a", "=", "привет мир")]),
        ("job:rate_5m=x", [("job:rate_5m", "=", "x")]),
    ],
)
def test_a_matcher_is_read(text: str, matchers: list[tuple[str, str, str]]) -> None:
    assert list(parse(text)) == [Matcher(*matcher) for matcher in matchers]  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["", "{}", "a", "=b", '"a"="b"', 'a="b', 'a=b"', 'a="b"c"', '{a="b"', "1a=b", ",a=b"])
def test_what_is_no_matcher_is_refused(text: str) -> None:
    with pytest.raises(BadMatcher):
        parse(text)

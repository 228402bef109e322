"""Patterns match whole texts, in time linear in them, whatever the pattern and whatever the text."""

from __future__ import annotations

import time

import pytest

from relay.rules.regex import BadPattern, anchored, glob


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        ("web.*", "web1", True),
        ("web.*", "xweb", False),
        ("web", "web1", False),
        ("a|b", "b", True),
        ("a|b", "ab", False),
        ("(?i)prod", "PROD", True),
        (r"\d+", "42", True),
        ("", "", True),
        ("", "x", False),
        (".*", "two\nlines", True),
        ("привет.", "приветы", True),
        (".", "\udcff", True),
    ],
)
def test_a_pattern_is_anchored_at_both_ends(pattern: str, text: str, matches: bool) -> None:
    assert anchored(pattern)(text) is matches


@pytest.mark.parametrize(
    "pattern", ["(", "[", "a{1001}", "(?=a)", "(?!a)", "(?<=a)b", r"(a)\1", "(?P<n", "*", r"\p{Xx}"]
)
def test_what_cannot_be_matched_in_linear_time_or_at_all_is_refused(pattern: str) -> None:
    with pytest.raises(BadPattern):
        anchored(pattern)


@pytest.mark.parametrize("pattern", ["(a+)+b", "(a|a)*b", "(.*)*b", "a*a*a*a*a*a*b", "(a?){100}a{100}b", "([a-z]+)*!"])
def test_a_hostile_text_cannot_make_a_pattern_slow(pattern: str) -> None:
    began = time.process_time()

    assert not anchored(pattern)("a" * 20_000 + "c")
    assert time.process_time() - began < 2  # Python's own engine takes longer than the universe has been there


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        ("release/*", "release/1.0", True),
        ("release/*", "release/1.0/fix", False),  # a star stops at a slash, as in GitHub's filters
        ("release/**", "release/1.0/fix", True),
        ("**/docs/*.md", "docs/a.md", True),
        ("**/docs/*.md", "x/y/docs/a.md", True),
        ("*.py", "relay/model.py", False),
        ("**.py", "relay/model.py", True),
        ("v?.0", "v1.0", True),
        ("v?.0", "v10.0", False),
        ("a?b", "a/b", False),
        ("v[12]", "v2", True),
        ("v[!12]", "v2", False),
        ("v[!12]", "v3", True),
        ("a.b", "axb", False),  # a dot is a dot
        ("(a|b)+$", "(a|b)+$", True),
        (r"\*", "*", True),
        (r"\*", "x", False),
        ("[", "[", True),
        ("*", "", True),
    ],
)
def test_a_glob_matches_as_file_names_do(pattern: str, text: str, matches: bool) -> None:
    assert glob(pattern)(text) is matches


def test_a_glob_whose_range_runs_backwards_is_refused() -> None:
    with pytest.raises(BadPattern):
        glob("[z-a]")

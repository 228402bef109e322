"""Who is called by name in a text."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.sources.github_mentions import mentioned


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("@anna", ("anna",)),
        ("@anna, @boris: look!", ("anna", "boris")),
        ("(@anna) **@boris** _@zoe_", ("anna", "boris", "zoe")),
        ("@Anna and @anna again", ("Anna",)),
        ("ask @acme/back-end.", ("acme/back-end",)),
        ("thanks @anna.", ("anna",)),
        ("@anna's idea", ("anna",)),
        ("спасибо, @anna-maria!", ("anna-maria",)),
        ("managed @octocat_acme here", ("octocat_acme",)),
        ("line one\n@anna\nline three", ("anna",)),
        ("- @anna\n- @boris\n1. @zoe", ("anna", "boris", "zoe")),
        ("a" * 5 + " @" + "a" * 39, ("a" * 39,)),
        ("", ()),
    ],
)
def test_a_name_after_an_at_sign_is_called(text: str, names: tuple[str, ...]) -> None:
    assert mentioned(text) == names


@pytest.mark.parametrize(
    "text",
    [
        "write to anna@example.com",
        "anna@boris",
        "https://example.com/@anna",
        "@@anna",
        "@example.com",
        "@-anna",
        "@anna-",
        "@an--na",
        "@anna/",
        "@acme/team/more",
        "@anna@example.social",
        "@" + "a" * 40,
        "@",
        "@ anna",
    ],
)
def test_what_only_looks_like_a_name_calls_nobody(text: str) -> None:
    assert mentioned(text) == ()


@pytest.mark.parametrize(
    "text",
    [
        "```\n@anna\n```\n@zoe",
        "~~~python\n@anna\n~~~\n@zoe",
        "````\n```\n@anna\n````\n@zoe",
        "```\n@anna\n~~~\n@anna\n```\n@zoe",
        "- ```\n  @anna\n  ```\n- @zoe",
        "   ```\n@anna\n   ```\n@zoe",
        "`@anna` @zoe",
        "``a ` @anna`` @zoe",
        "`one\n@anna` @zoe",
        "> @anna said\n> so\n\n@zoe",
        "  > @anna\n@zoe",
        "> ```\n> @anna\n> ```\n@zoe",
        "<!-- @anna -->@zoe",
        "<!-- one\n\n@anna\n-->\n@zoe",
    ],
)
def test_code_quotes_and_comments_call_nobody(text: str) -> None:
    assert mentioned(text) == ("zoe",)


@pytest.mark.parametrize("text", ["```\n@anna", "```\n@anna\n```not closed\n@anna", "<!-- @anna"])
def test_what_is_not_closed_goes_on_to_the_end(text: str) -> None:
    assert mentioned(text) == ()


@pytest.mark.parametrize("text", ["a ` b @anna", "`a\n\n@anna `", "``a` @anna", "```a``` @anna", "5 > 4 @anna"])
def test_a_sign_that_opens_nothing_hides_nobody(text: str) -> None:
    assert mentioned(text) == ("anna",)


@pytest.mark.parametrize(
    "piece",
    ["@", "@a", "@a-", "@a/", "`", "``a`", "` `` ", "<!--", "> ", "```\n", "~~~\n", "\n", " ", "@a_", "\n \n", "- "],
)
def test_a_hostile_text_costs_no_more_than_another(piece: str) -> None:
    text = (piece * 65536)[:65536]  # GitHub's own limit for a body
    started = time.process_time()

    mentioned(text)

    assert time.process_time() - started < 1.0  # about 10 ms; a quadratic way takes minutes


@given(st.text(alphabet="@ab-/_`~> \n.<!", max_size=60))
def test_any_text_calls_only_names_of_the_right_form(text: str) -> None:
    for name in mentioned(text):
        login, _, team = name.partition("/")
        assert login
        assert not login.startswith("-")
        assert "--" not in login
        assert bool(team) == ("/" in name)
        assert f"@{name}" in text

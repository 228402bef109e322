"""Only addresses that can be followed safely get into a link."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.render.address import MAX_ADDRESS, clean_address

REFUSED = [
    "", "javascript:alert(1)", "data:text/html,x", "ftp://x.example", "//x.example/y", "/relative", "x.example",
    "http://", "https:///x", "https://[::1]/", "https://[", "https://x.example:port/", "https://x.example:99999/",
    "https://a b.example/", "java\nscript:alert(1)", "https://x.example/" + "a" * MAX_ADDRESS, "https://\u2024.example\u2100",
    f"https://a{'-' * 54}b.example/",
]  # fmt: skip


@pytest.mark.parametrize("address", REFUSED)
def test_an_address_that_cannot_be_followed_is_none(address: str) -> None:
    assert clean_address(address) == ""


@pytest.mark.parametrize(
    ("address", "clean"),
    [
        ("https://x.example/a?b=c&d=e#f", "https://x.example/a?b=c&d=e#f"),
        ("HTTPS://X.Example", "https://x.example"),
        ("https://x.example/%20%5B", "https://x.example/%20%5B"),
        ('https://x.example/[b]"<i> \\', "https://x.example/%5Bb%5D%22%3Ci%3E%20%5C"),
        ("https://user:secret@x.example/y", "https://x.example/y"),
        ("https://github.com@evil.example/", "https://evil.example/"),
        ("https://x.example/\u202egpj", "https://x.example/gpj"),
        (
            "https://x.example/?a&#93;[url=https://evil.example]",
            "https://x.example/?a%26#93;%5Burl=https://evil.example%5D",
        ),
        ("https://x.example/?a=1&lt;b", "https://x.example/?a=1%26lt;b"),
        ("https://x.example/$result[n0]", "https://x.example/%24result%5Bn0%5D"),
        (f"https://x.example/{'-' * 12}?{'-' * 6}", "https://x.example/----%2D----%2D--?----%2D-"),
        ("https://www.x.example/www.y?to=MailTo:a@b", "https://www.x.example/www%2Ey?to=MailTo%3Aa@b"),
        ("https://пример.example/путь", "https://xn--e1afmkfd.example/%D0%BF%D1%83%D1%82%D1%8C"),
        ("http://127.0.0.1:9090/graph?g0.expr=up+%3E+1", "http://127.0.0.1:9090/graph?g0.expr=up+%3E+1"),
    ],
)
def test_an_address_is_cleaned(address: str, clean: str) -> None:
    assert clean == clean_address(address)


@given(st.text() | st.text().map("https://x.example/".__add__))
def test_a_clean_address_has_nothing_that_could_end_it(address: str) -> None:
    clean = clean_address(address)

    assert not set(clean) & set("[]\"<>\\ \n\t'`")
    assert clean.isascii()
    assert clean_address(clean) == clean

"""The environment, and the secret that keeps itself."""

from __future__ import annotations

import copy
import json
import logging
import pickle
import pprint
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relay.schema import Part, Secrets
from relay.settings import BadSettings, Secret, Settings, read

HIDDEN = "hunter2-пароль"
SECRET = Secret(HIDDEN)


# ── Secret ────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Holder:
    secret: Secret


class Piece(Part):
    secrets: Secrets


PIECE = Piece.model_validate({"secrets": [HIDDEN, "second-" + HIDDEN]})

SHOWN: dict[str, Callable[[], object]] = {
    "repr": lambda: repr(SECRET),
    "str": lambda: str(SECRET),
    "f-string": lambda: f"{SECRET}{SECRET!r}{SECRET!s}{SECRET!a}",
    "f-string with a width": lambda: f"{SECRET:>40}",
    "format": lambda: format(SECRET, "x") + "{}{!r}".format(SECRET, SECRET),  # noqa: UP032 - it is the case
    "percent": lambda: "%s %r" % (SECRET, SECRET),  # noqa: UP031 - it is the case
    "in a list": lambda: repr([SECRET, {"a": SECRET}]),
    "pprint": lambda: pprint.pformat({"a": SECRET}),
    "dataclass": lambda: repr(Holder(SECRET)),
    "Settings": lambda: repr(read({"DATABASE_URL": HIDDEN, "RELAY_ADMIN_PASSWORD": HIDDEN})),
    "pydantic repr": lambda: f"{PIECE!r} {PIECE}",
    "pydantic dump": lambda: repr(PIECE.model_dump()),
    "pydantic copy": lambda: repr(PIECE.model_copy()),
    "a log record": lambda: logging.LogRecord("", 0, "", 0, "%s %r", (SECRET, SECRET), None).getMessage(),
    "an error": lambda: str(ValueError(SECRET)),
}


@pytest.mark.parametrize("way", SHOWN)
def test_a_secret_is_shown_as_three_stars(way: str) -> None:
    shown = str(SHOWN[way]())

    assert "***" in shown
    assert "hunter2" not in shown


WRITTEN: dict[str, Callable[[], object]] = {
    **{f"pickle {protocol}": partial(pickle.dumps, SECRET, protocol) for protocol in range(6)},
    "pickle of a dataclass": lambda: pickle.dumps(Holder(SECRET)),
    "deepcopy": lambda: copy.deepcopy(SECRET),
    "json": lambda: json.dumps({"a": SECRET}),
    "pydantic JSON": PIECE.model_dump_json,
}


@pytest.mark.parametrize("way", WRITTEN)
def test_a_secret_is_not_written_down(way: str) -> None:
    with pytest.raises(Exception, match=r"(?i)secret|serializ") as refusal:
        WRITTEN[way]()
    assert "hunter2" not in "".join(traceback.format_exception(refusal.value))


def test_a_secret_has_no_other_way_in_than_reveal() -> None:
    assert SECRET.reveal() == HIDDEN
    assert not hasattr(SECRET, "__dict__")


def test_secrets_compare_by_value_and_only_among_themselves() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a"), Secret("b")}) == 2
    assert Secret("a")
    assert not Secret("")


@pytest.mark.parametrize(
    ("candidate", "good"), [("ключ", True), ("ключ".encode(), True), ("клю", False), ("", False), ("\udcff", False)]
)
def test_a_candidate_matches_as_text_and_as_bytes(candidate: str | bytes, good: bool) -> None:
    assert Secret("ключ").matches(candidate) is good


@given(st.text(max_size=20) | st.binary(max_size=20))
@settings(deadline=None)
def test_no_candidate_is_too_strange_to_compare(candidate: str | bytes) -> None:
    assert Secret("a secret of a length of its own").matches(candidate) is False


@pytest.mark.parametrize("value", ["", "  ", None, 5, True, [], [""], ["good", ""], {}, b"bytes"])
def test_the_rules_file_takes_no_empty_secret(value: object) -> None:
    with pytest.raises(ValueError, match="secrets"):
        Piece.model_validate({"secrets": value})


def test_the_rules_file_takes_one_secret_or_several() -> None:
    assert Piece.model_validate({"secrets": "a"}).secrets == (Secret("a"),)
    assert Piece.model_validate({"secrets": ["a", "b"]}).secrets == (Secret("a"), Secret("b"))


# ── Settings ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_empty_environment_gives_the_defaults() -> None:
    found = read({})

    assert found == Settings()
    assert found.rules == Path("rules.yaml")
    assert found.database_url.reveal() == "sqlite:///var/relay.db"
    assert (found.host, found.port, found.log, found.lease) == ("127.0.0.1", 8080, "text", 10.0)
    assert not found.admin_password


def test_every_setting_is_read() -> None:
    found = read(
        {
            "RELAY_RULES": "/etc/relay/rules.yaml",
            "DATABASE_URL": "postgresql://relay:key@db.example.com/relay",
            "HOST": "0.0.0.0",
            "PORT": "9000",
            "RELAY_LOG": "json",
            "RELAY_LEASE": "2.5",
            "RELAY_ADMIN_PASSWORD": "open sesame",
            "RELAY_READER_PASSWORD": "only looking",
            "RELAY_ADMIN_TOKEN": "script",
            "RELAY_READER_TOKEN": "reading script",
            "RELAY_PROXIES": "2",
            "RELAY_TRUSTED_HEADER": "X-Forwarded-User",
            "RELAY_TRUSTED_ADMINS": "olga@example.com, ivan",
            "HOME": "/root",
        }
    )

    assert found == Settings(
        rules=Path("/etc/relay/rules.yaml"),
        database_url=Secret("postgresql://relay:key@db.example.com/relay"),
        host="0.0.0.0",
        port=9000,
        log="json",
        lease=2.5,
        admin_password=Secret("open sesame"),
        reader_password=Secret("only looking"),
        admin_token=Secret("script"),
        reader_token=Secret("reading script"),
        proxies=2,
        trusted_header="X-Forwarded-User",
        trusted_admins=("olga@example.com", "ivan"),
    )


def test_a_setting_that_is_set_to_nothing_keeps_its_default() -> None:
    found = read({"DATABASE_URL": "", "PORT": "", "RELAY_LEASE": "", "RELAY_ADMIN_PASSWORD": ""})

    assert found == Settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "http"),
        ("PORT", "65536"),
        ("PORT", "-1"),
        ("PORT", "nan"),
        ("PORT", "inf"),
        ("RELAY_LEASE", "0"),
        ("RELAY_LEASE", "3601"),
        ("RELAY_LEASE", "ten"),
        ("RELAY_PROXIES", "-1"),
        ("RELAY_TRUSTED_HEADER", "X_Forwarded_User"),
        ("RELAY_TRUSTED_HEADER", "X-Forwarded-User: ivan"),
        ("RELAY_LOG", "xml"),
        ("RELAY_LOG", ""),
    ],
)
def test_a_setting_that_cannot_be_used_is_named_with_its_remedy(name: str, value: str) -> None:
    with pytest.raises(BadSettings, match=f"{name} is '{value}'; use "):
        read({name: value})

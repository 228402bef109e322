"""What the fuzzers have found, each kept as a test of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from relay import house
from relay.errors import BadRules, Refused
from relay.model import Request
from relay.rules import lint, load
from relay.settings import Secret, Settings
from relay.web.app import create_app
from tests.rules.books import HEAD
from tests.sources import every_sender
from tests.sources.posts import stored

TOKEN = "token-that-nobody-may-read"

# A key of the sender's own choice that is half a surrogate pair, which JSON can say and no text can hold (RFC 8259
# §8.2), with a value that no label has.
HALF: dict[str, Any] = {"\ud800": [1]}


def with_half_a_name(name: str) -> Request:
    """A stored request of alerts, the first of which has such a label."""
    kind, request = name.partition("/")[0], stored(name)
    values = every_sender.payload(kind, request)
    return every_sender.with_payload(kind, request, values | {"alerts": [values["alerts"][0] | {"labels": HALF}]})


@pytest.mark.parametrize("name", ["alertmanager/firing__two_disks", "grafana/firing__panel"])
def test_a_refusal_s_sentence_can_be_written_whatever_the_sender_calls_his_labels(name: str) -> None:
    with pytest.raises(Refused) as refused:
        every_sender.read(name.partition("/")[0], with_half_a_name(name))

    str(refused.value).encode()


def test_the_door_answers_422_to_a_label_that_is_no_text(tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text(
        "version: 1\nportal: {webhook: 'https://p.bitrix24.ru/rest/1/abcdef/'}\n"
        "sources: {a: {type: alertmanager, open: true}}\npeople: {ivan: {id: 17}}\ndefault: {to: ivan}\n"
    )
    built = house.build(Settings(rules=rules, database_url=Secret(f"sqlite:///{tmp_path}/relay.db")), {})
    body = with_half_a_name("alertmanager/firing__two_disks").body
    answer = create_app(built).test_client().post("/in/a", data=body, content_type="application/json")
    built.close()

    assert answer.status_code == 422


@pytest.mark.parametrize("kind", ["[github]", "{github: 1}", "1", "true", "github]"])
def test_a_sender_s_type_that_is_no_name_is_complained_of(kind: str) -> None:
    text = f"version: 1\nsources: {{x: {{type: {kind}, open: true}}}}\n"

    with pytest.raises(BadRules) as refused:
        load(text, env={})

    assert any(each.line == 2 for each in refused.value.complaints)


@pytest.mark.parametrize(
    "rest",
    [
        "default: {to: '${TOKEN}'}",
        "default: {to: ivan, fallback: ['${TOKEN}']}",
        "default: {to: ivan, portal: '${TOKEN}'}",
        "default: {to: ivan, template: 'x${TOKEN}'}",
        "default: {to: ivan, mute: '${TOKEN}'}",
        "default: {to: ivan, only_if: '${TOKEN}'}",
        "rules: [{to: ivan, when: {source: '${TOKEN}', state: '${TOKEN}'}}]",
        "rules: [{to: ivan, name: '${TOKEN}'}, {to: ivan, name: '${TOKEN}'}]",
        "rules: [{to: ivan, when: {if: '${TOKEN} =='}}]",
        "rules: [{to: ivan, when: {match: ['${TOKEN}']}}]",
        "include: ['${TOKEN}']",
    ],
)
def test_a_secret_in_the_place_of_a_name_is_not_repeated(rest: str) -> None:
    with pytest.raises(BadRules) as refused:
        load(HEAD + rest + "\n", env={"TOKEN": TOKEN, "SECRET": "a-secret"})

    assert TOKEN not in str(refused.value)


def test_what_is_suspicious_of_a_secret_in_the_place_of_a_name_does_not_repeat_it() -> None:
    text = HEAD + "rules: [{when: {source: github, event: '${TOKEN}'}, to: ivan}]\ndefault: drop\n"
    checked = lint.check(text, env={"TOKEN": TOKEN, "SECRET": "a-secret"})

    assert checked.rules is not None
    assert any("${TOKEN}" in each.message for each in checked.complaints)
    assert not any(TOKEN in str(each) for each in checked.complaints)

"""The playground: what rules would make of a request, and whom they would have told otherwise; nothing is sent."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask.testing import FlaskClient

from relay import fixture, playground
from relay.house import House
from relay.rules import load
from tests.web.pages.conftest import READER_TOKEN, RULES, bearer, decide, post, token_of

ALARM = '{"event": "alarm", "title": "disk full"}'
BESIDE = "version: 1\nportal: {domain: d.bitrix24.ru, token: t}\nsources: {x: {type: json, open: true}}\nrules: []\n"
TO_OLGA = RULES.replace("when: {event: alarm}, to: ivan", "when: {event: alarm}, to: olga")


def desk(client: FlaskClient, **fields: str) -> dict[str, str]:
    return {"csrf": token_of(client)} | {"request": ALARM, "source": "x", "rules": RULES} | fields


def messages(built: House) -> int:
    with built.database.read() as tx:
        return int(tx.connection.exec_driver_sql("SELECT count(*) FROM message").scalar_one())


def test_pasted_json_is_decided_by_the_pasted_rules_and_nothing_is_sent(reader: FlaskClient, built: House) -> None:
    page = reader.post("/playground", data=desk(reader, rules=TO_OLGA)).text
    assert "disk full" in page
    assert "olga" in page
    assert "alarms" in page
    assert messages(built) == 0


def test_a_whole_request_names_its_source_itself(site: FlaskClient) -> None:
    whole = f"POST /in/x HTTP/1.1\r\nContent-Type: application/json\r\n\r\n{ALARM}"
    assert "disk full" in site.post("/playground", data=desk(site, request=whole, source="nowhere")).text


def test_an_event_of_the_journal_is_laid_on_the_desk_as_it_came(site: FlaskClient) -> None:
    number = post(site, {"event": "alarm", "title": "<b>disk</b>"})
    page = site.get(f"/playground?event={number}").text
    assert "POST /in/x HTTP/1.1" in page
    assert "<b>disk</b>" not in page
    assert "alarms" in page
    assert site.get("/playground?event=99").status_code == 404


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"rules": "version: 1\nrules: [{to: nobody-knows}]"}, "nobody-knows"),
        ({"rules": RULES + "  - {name: [}\n"}, "rules.yaml:"),
        ({"rules": ""}, "the file is empty"),
        ({"request": ""}, "paste a request"),
        ({"request": "GET"}, "the empty line"),
        ({"request": "{"}, "JSON"),
        ({"request": ALARM, "source": "nowhere"}, "no source of this name"),
    ],
)
def test_what_is_wrong_is_said(site: FlaskClient, fields: dict[str, str], says: str) -> None:
    answer = site.post("/playground", data=desk(site, **fields))
    assert answer.status_code == 200
    assert says in answer.text


def test_other_rules_are_compared_with_those_in_force(site: FlaskClient, built: House) -> None:
    number = post(site, {"event": "alarm", "title": "disk"})
    decide(built)
    page = site.post("/playground", data=desk(site, rules=TO_OLGA, compare="1")).text
    assert "What differs in 1 event" in page
    assert f'href="/events/{number}"' in page
    assert "Nothing differs in 1 event." in site.post("/playground", data=desk(site, compare="1")).text


def test_a_script_tries_rules_with_a_readers_token(stranger: FlaskClient) -> None:
    answer = stranger.post(
        "/api/v1/playground", json={"request": ALARM, "rules": TO_OLGA}, headers=bearer(READER_TOKEN)
    )
    assert answer.json is not None
    (decision,) = answer.json["decisions"]
    assert [each["person"] for each in decision["messages"]] == ["olga"]
    in_force = stranger.post("/api/v1/playground", json={"request": ALARM}, headers=bearer(READER_TOKEN))
    assert [each["person"] for each in in_force.json["decisions"][0]["messages"]] == ["ivan"]  # type: ignore[index]
    assert stranger.post("/api/v1/playground", json=[], headers=bearer(READER_TOKEN)).status_code == 400


# ── What stays hidden ─────────────────────────────────────────────────────────────────────────────────────────


def test_secrets_written_in_the_rules_are_hidden_and_the_text_still_loads() -> None:
    text = """\
version: 1
portal: {webhook: "https://acme.bitrix24.ru/rest/1/s3cretkey/"}
sources:
  a: {type: json, bearer: "t"}  # not at all
  b: {type: github, secret: [first-one, ${SECOND}]}
people: {ivan: {id: 17}}
rules: []
"""
    rules = load(text, env={"SECOND": "second"})
    hidden = playground.shown(text, rules)
    assert "s3cretkey" not in hidden
    assert "first-one" not in hidden
    assert '"t"' not in hidden
    assert "# not at all" in hidden
    assert load(hidden, env=playground.Placeholders()).sources.keys() == rules.sources.keys()


def test_a_variable_of_the_environment_is_never_shown(site: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BITRIX24_WEBHOOK_URL", "https://acme.bitrix24.ru/rest/1/verysecret/")
    rules = RULES + "templates: {x: {text: 'leak ${BITRIX24_WEBHOOK_URL}'}}\ndefault: {to: ivan, template: x}\n"
    page = site.post("/playground", data=desk(site, request='{"event": "other"}', rules=rules)).text
    assert "hidden.invalid" in page
    assert "verysecret" not in page


@pytest.mark.parametrize("path", ["../secret.yaml", "/etc/passwd", ".env", "link.yaml", "sub/../../secret.yaml"])
def test_only_rules_beside_those_in_force_are_included(tmp_path: Path, path: str) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (tmp_path / "secret.yaml").write_text("people: {leaked-name: {id: 3}}\n")
    (home / ".env").write_text("KEY=leaked-name\n")
    (home / "link.yaml").symlink_to(tmp_path / "secret.yaml")
    checked = playground.check(f"{BESIDE}include: {path}\n", home / "rules.yaml")
    assert checked.rules is None
    assert "can be included" in "".join(map(str, checked.complaints))
    assert "leaked-name" not in "".join(map(str, checked.complaints))


def test_rules_beside_those_in_force_are_included(tmp_path: Path) -> None:
    (tmp_path / "people.yaml").write_text("people: {ivan: {id: 17}}\n")
    checked = playground.check(f"{BESIDE}include: people.yaml\n", tmp_path / "rules.yaml")
    assert checked.rules is not None
    assert "ivan" in checked.rules.people


def test_a_request_is_read_as_a_browser_posts_it() -> None:
    entry = playground.request("POST /in/x HTTP/1.1\r\nA: b\r\n\r\n{\r\n}", "")
    assert (entry.source, entry.request.body) == ("x", b"{\n}")
    assert fixture.parse(fixture.write(entry.request)) == entry.request

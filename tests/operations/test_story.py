"""`grep event=N` tells an event's whole story, a request keeps its name, and no planted secret is in any line of it."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from relay import house, log
from relay.house import House
from relay.sandbox import Portal, serve
from relay.settings import Secret, Settings
from relay.web.app import create_app
from tests.conftest import only_sqlite
from tests.line.conftest import SECRET, TOKEN, Line

PLANTED = {
    "BEARER": "planted-bearer-token",
    "BASIC": "planted-basic-password",
    "HMAC": "planted-hmac-secret",
    "ADMIN": "planted-admin-password",
    "CLIENT": "planted-client-secret",
    "TOKEN": "planted-portal-token",
}
RULES = """\
version: 1
portals:
  main: {{webhook: "{webhook}"}}
  token: {{domain: "http://127.0.0.1:9", token: "${{TOKEN}}"}}
  app: {{app: {{domain: "http://127.0.0.1:9", client_id: local.1, client_secret: "${{CLIENT}}"}}}}
sources:
  a: {{type: json, bearer: ["${{BEARER}}", "another-planted-one"], title: payload.title, key: payload.id}}
  b: {{type: json, basic: {{username: relay, password: "${{BASIC}}"}}, title: payload.title}}
  c: {{type: grafana, hmac: {{secret: "${{HMAC}}"}}}}
people: {{ivan: {{id: 17}}}}
rules:
  - {{name: by the token, when: {{event: token}}, to: ivan, portal: token}}
  - {{name: by the app, when: {{event: app}}, to: ivan, portal: app}}
  - {{name: all, to: ivan}}
default: drop
"""


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Callable[[str], list[str]]:
    """The lines of the log, as text, in which a pattern is found."""
    caplog.set_level(logging.INFO)

    def found(pattern: str) -> list[str]:
        said = (log.Text().format(record) for record in caplog.records)
        return [line for line in said if re.search(pattern, line)]

    return found


@only_sqlite
def test_the_number_of_an_event_finds_its_whole_story(
    make_line: Callable[..., Line], lines: Callable[[str], list[str]]
) -> None:
    line = make_line()
    for number in range(2):
        line.deploy(service=f"s{number}", title=f"t{number}")
    line.deploy(id="again", service="one")
    assert line.deploy(id="again", service="one").status_code == 200
    line.start()
    line.until(lambda: line.settled() and len(lines("courier: called")) > 0)
    line.stop()

    assert [deed(each) for each in lines(r"\bevent=1\b")] == [
        "intake: journalled",
        "router: decided",
        "courier: called",
    ]
    assert [deed(each) for each in lines(r"\bevent=3\b")] == [
        "intake: journalled",
        "intake: known already",
        "router: decided",
        "courier: called",
    ]
    (decided,) = lines(r"router: decided.*\bevent=2\b")
    assert re.search(
        r"source=deploys kind=event outcome=addressed rule=rules.1 messages=1 .*ms=[\d.]+ lag=[\d.]+", decided
    )
    (called,) = lines(r"courier: called.*\bevent=2\b")
    assert re.search(
        r"portal=main method=im.notify.personal.add commands=1 event=2 message=2 verdicts=delivered:1 ms=[\d.]+$",
        called,
    )
    assert [deed(each) for each in lines("lease=router")] == ["lease: taken", "lease: given back"]


def deed(line: str) -> str:
    return re.sub(r" \w+=.*", "", line.partition("Z ")[2])


@only_sqlite
def test_what_did_not_arrive_is_told_message_by_message(
    make_line: Callable[..., Line], lines: Callable[[str], list[str]]
) -> None:
    line = make_line()
    line.deploy(person="mute")
    line.deploy(person="ivan")
    line.start()
    line.until(lambda: line.settled() and len(lines("courier: called")) > 0)

    called = " ".join(lines("courier: called"))
    assert "undelivered=1:muted" in called
    assert "2:" not in called.partition("undelivered=")[2].partition(" ")[0]


def post(line: Line, **headers: str) -> Any:
    return line.door.post("/in/deploys", json={"id": "1"}, headers={"Authorization": f"Bearer {TOKEN}"} | headers)


@only_sqlite
@pytest.mark.parametrize("given", ["5f2a-1", "x" * 128, "1-5bdf/a:b=c+d@e.f_g"])
def test_a_request_keeps_the_name_that_a_proxy_gave_it(
    make_line: Callable[..., Line], lines: Callable[[str], list[str]], given: str
) -> None:
    answer = post(make_line(), **{"X-Request-Id": given})

    assert answer.headers["X-Request-Id"] == given
    assert len(lines(re.escape(given))) == 1


@only_sqlite
@pytest.mark.parametrize("given", ["", "x" * 129, "two words", "a\tb", "<b>", "naïve", 'quo"te'])
def test_a_strange_name_is_replaced(make_line: Callable[..., Line], given: str) -> None:
    answer = post(make_line(), **{"X-Request-Id": given.encode().decode("latin-1")})

    assert re.fullmatch("[0-9a-f]{16}", answer.headers["X-Request-Id"])


@only_sqlite
def test_a_request_that_is_refused_has_a_name_and_one_line_too(
    make_line: Callable[..., Line], lines: Callable[[str], list[str]]
) -> None:
    line = make_line()
    answers = [
        post(line, **{"Authorization": "Bearer wrong", "X-Request-Id": "r-401"}),
        line.door.post("/in/nobody", data=b"x", headers={"X-Request-Id": "r-404"}),
        line.github("push", {}, secret="wrong"),
    ]

    assert [answer.status_code for answer in answers] == [401, 404, 401]
    assert all(answer.headers["X-Request-Id"] for answer in answers)
    assert len(lines("intake: refused")) == 3
    (refused,) = lines("r-404")
    assert re.search(r"request=r-404 path=/in/nobody status=404 bytes=1 ms=[\d.]+ why=", refused)


@pytest.fixture
def planted(tmp_path: Path) -> Iterator[House]:
    """A house in which every kind of secret has a value to look for."""
    with serve(Portal()) as portal:
        rules = tmp_path / "rules.yaml"
        rules.write_text(RULES.format(webhook=portal.webhook), encoding="utf-8")
        settings = Settings(
            rules=rules,
            database_url=Secret(f"sqlite:///{tmp_path}/relay.db"),
            admin_password=Secret(PLANTED["ADMIN"]),
            lease=2.0,
        )
        built = house.build(settings, PLANTED)
        yield built
        built.close()


SECRETS = [*PLANTED.values(), "another-planted-one", "sandbox-secret"]


@pytest.mark.parametrize("form", [log.Text(), log.Json()], ids=["text", "json"])
def test_no_secret_of_a_setting_a_source_or_a_portal_is_in_a_line(
    planted: House, form: logging.Formatter, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    door = create_app(planted).test_client()
    for secret in SECRETS:  # as somebody would who has put it in the wrong place
        door.post(f"/in/{secret}", data=secret, headers={"X-Request-Id": secret, "Authorization": f"Bearer {secret}"})
        door.post("/in/a", data=secret, headers={"Authorization": f"Bearer {secret}", "Content-Type": secret})
        body = {"id": secret, "title": secret}
        door.post("/in/a", json=body, headers={"Authorization": "Bearer another-planted-one", "X-Request-Id": secret})
        for named in log.LINES:
            words: dict[str, Any] = {field: {secret: [secret]} for field in log.LINES[named].split()}
            log.line(named, **words)

    written = [form.format(record) for record in caplog.records]
    assert len(written) > len(SECRETS)
    assert [secret for secret in SECRETS if any(secret in line for line in written)] == []
    if isinstance(form, log.Json):
        assert all(json.loads(line)["msg"] for line in written)


def test_the_secrets_of_rules_that_are_read_anew_are_masked_too(planted: House) -> None:
    text = planted.settings.rules.read_text(encoding="utf-8")
    planted.settings.rules.write_text(text.replace("another-planted-one", "quite-a-new-secret"), encoding="utf-8")

    assert planted.rules_file.refresh()
    assert log.mask("quite-a-new-secret") == "***"


def test_the_secrets_of_the_line_s_own_tests_are_long_enough_to_be_masked() -> None:
    assert min(len(SECRET), len(TOKEN)) >= log.SHORTEST

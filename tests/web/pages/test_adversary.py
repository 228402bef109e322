"""What somebody tried who wanted to see a secret, to stop the relay, or was merely tired: each once went wrong."""

from __future__ import annotations

import html
import re
import tracemalloc

import pytest
from flask.testing import FlaskClient

from relay import playground, silencing
from relay.house import House
from relay.model import Request
from relay.rules import load
from relay.settings import Secret
from relay.silencing import BadCondition
from relay.store import visitors
from relay.web.pages import event, sessions
from tests.conftest import Clock
from tests.web.pages.conftest import ADMIN, ADMIN_TOKEN, RULES, bearer, decide, post, token_of

# ── Who wants to see, or to stop ──────────────────────────────────────────────────────────────────────────────


def test_a_secret_in_a_file_that_was_refused_is_not_shown(built: House, reader: FlaskClient) -> None:
    built.settings.rules.write_text(RULES.replace("KEYKEYKEY", "newsecret").replace("rules:", "rulez:"))
    assert not built.rules_file.refresh()

    for address in ("/playground", "/rules"):
        page = reader.get(address).text
        assert "newsecret" not in page
        assert "alarms" in page  # those that are in force


def test_a_webhook_that_stands_in_a_comment_is_not_shown(built: House, reader: FlaskClient) -> None:
    said = '# was: "https://acme.bitrix24.ru/rest/1/oldsecret/", then https://acme.bitrix24.ru/rest/1/${KEY}/\n'
    built.settings.rules.write_text(said + RULES)
    assert built.rules_file.refresh()

    page = reader.get("/playground").text

    assert "oldsecret" not in page
    assert "/rest/1/${KEY}/" in page  # this is none


def test_a_small_body_that_grows_when_it_is_set_out_takes_no_memory() -> None:
    raw = b"[" * 300 + b",".join([b"1"] * 190_000) + b"]" * 300  # each element on a line of 600 spaces
    tracemalloc.start()
    shown = event.body(Request(method="POST", path="/in/x", headers={}, body=raw))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert (len(shown.text), shown.is_cut) == (event.SHOWN, True)
    assert most < 20_000_000


@pytest.mark.parametrize(
    "body", ["[" * 90_000, '{"to": "\\ud800", "strength": "test"}', '{"messages": [' + "9" * 5_000]
)
@pytest.mark.parametrize(
    "address", ["/api/v1/silences", "/api/v1/outbox", "/api/v1/playground", "/api/v1/events/1/replay"]
)
def test_json_that_cannot_be_held_is_refused_as_such(stranger: FlaskClient, address: str, body: str) -> None:
    post(stranger, {"event": "alarm"})

    answer = stranger.post(address, data=body, content_type="application/json", headers=bearer(ADMIN_TOKEN))

    assert answer.status_code == 400


def test_whoever_previews_a_link_does_not_use_it_up(stranger: FlaskClient, built: House) -> None:
    with built.database.write() as tx:
        secret = visitors.invite(tx, "reader", seconds=60)

    assert "Set-Cookie" not in stranger.head(f"/sign-in/{secret}").headers
    assert stranger.get(f"/sign-in/{secret}").headers["Location"] == "/events"


# ── Who is tired ──────────────────────────────────────────────────────────────────────────────────────────────


def test_the_form_below_a_link_that_was_used_takes_the_password(stranger: FlaskClient) -> None:
    found = re.search(r'<form method="post" action="([^"]+)"', stranger.get("/sign-in/used").text)
    assert found is not None

    answer = stranger.post(html.unescape(found[1]), data={"password": ADMIN.reveal()})

    assert (answer.status_code, answer.headers["Location"]) == (303, "/events")


def test_what_cannot_be_done_now_is_not_told_as_a_fault_of_the_relay(site: FlaskClient, built: House) -> None:
    post(site, {"event": "alarm"})
    decide(built)

    twice = site.post("/silences/1/end?lang=ru", data={"csrf": token_of(site)})
    nobody = site.post("/events/1/replay", data={"csrf": token_of(site), "strength": "test", "to": "gone"})

    assert (twice.status_code, nobody.status_code) == (409, 409)
    assert "Такой тишины нет" in twice.text
    assert "nobody is called gone" in nobody.text


def test_a_button_pressed_after_the_session_leads_to_signing_in(stranger: FlaskClient) -> None:
    answer = stranger.post("/silences/1/end")

    assert answer.status_code == 401
    assert "The relay failed" not in answer.text
    assert 'href="/sign-in"' in answer.text


@pytest.mark.parametrize("value", ["~.*", "~", "~foo"])
def test_a_label_that_begins_like_a_pattern_is_none(value: str) -> None:
    its = {"labels.x": value}

    assert silencing.when(silencing.written(its)) == its


def test_two_conditions_of_one_word_do_not_become_the_second_alone() -> None:
    with pytest.raises(BadCondition, match="severity"):
        silencing.when(["severity!=critical", "severity!=error"])
    assert silencing.when(["event=a", "event = a"]) == {"event": "a"}


def test_rules_are_tried_whatever_form_their_secrets_have(built: House) -> None:
    env = {
        "KEY": "s3cr3t",
        "HOST": "acme.bitrix24.ru",
        "ID": "17",
        "SIGNING": "whsec_c2VjcmV0",
        "URL": "https://a.example/x",
    }
    text = RULES.replace("acme.bitrix24.ru/rest/1/KEYKEYKEY", "${HOST}/rest/${ID}/${KEY}").replace(
        "sources:\n", 'sources:\n  pay: {type: standard-webhooks, secret: "${SIGNING}"}\n'
    )

    checked = playground.check(text, built.settings.rules, env)

    assert [str(each) for each in checked.complaints if each.level == "error"] == []
    assert checked.rules is not None
    assert {playground.Placeholders(env)[name] for name in env}.isdisjoint(env.values())


def test_a_secret_that_is_no_address_is_hidden_by_what_can_stand_in_its_place(built: House) -> None:
    text = RULES.replace("sources:\n", "sources:\n  pay: {type: standard-webhooks, secret: whsec_c2VjcmV0}\n")

    hidden = playground.shown(text, load(text, env={}))

    assert "c2VjcmV0" not in hidden
    assert playground.check(hidden, built.settings.rules).rules is not None


@pytest.mark.parametrize(("seconds", "condition"), [(30, "unknown"), (3600, "unserved")])
def test_a_portal_whose_messages_nobody_sends_is_not_told_as_well(
    site: FlaskClient, built: House, clock: Clock, seconds: float, condition: str
) -> None:
    post(site, {"event": "alarm", "title": "disk"})
    decide(built)
    clock.forward(seconds)

    (portal,) = site.get("/api/v1/portals", headers=bearer(ADMIN_TOKEN)).get_json()["portals"]

    assert portal["condition"] == condition
    assert ("is a worker running" in site.get("/outbox").text) == (condition == "unserved")


# ── Two processes ─────────────────────────────────────────────────────────────────────────────────────────────


def test_a_neighbour_whose_clock_is_a_little_behind_knows_the_session() -> None:
    key, password = b"k" * 32, Secret("p")
    cookie = sessions.seal(sessions.Session(role="admin", at=1000.0, number="n"), key, password)

    assert sessions.unseal(cookie, key, {"admin": password}, 999.0) is not None
    assert sessions.unseal(cookie, key, {"admin": password}, 1000.0 - sessions.SKEW - 1) is None

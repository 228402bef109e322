"""The outbox: what did not arrive is found with its reason, sent again or given up; a portal says why it waits."""

from __future__ import annotations

import re
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient

from relay import courier
from relay.courier import Load
from relay.house import House
from relay.model import Answer, Delivered, PortalTrouble
from relay.store import listing, outbox
from relay.store.outbox import Settlement
from relay.web.pages import drawing, portals
from relay.web.pages.drawing import Span
from relay.web.pages.words import WORDS
from tests.conftest import Clock
from tests.web.pages.conftest import ADMIN_TOKEN, READER_TOKEN, bearer, decide, post, send, token_of

DEPLOYED = {"title": "deployed", "event": "deployed", "service": "shop"}
HOSTILE = "<script>alert(1)</script>"


def told(built: House, client: FlaskClient, *ends: tuple[outbox.State, str]) -> list[int]:
    """As many messages as ends, each settled so, with its reason; their numbers."""
    numbers: list[int] = []
    for state, why in ends:
        post(client, {"event": "alarm", "title": f"alarm {state} {why} {len(numbers)}"})
        decide(built)
        with built.database.write() as tx:
            (parcel,) = outbox.claim(tx, "main", 1, 1)
            end = Settlement(parcel=parcel, state=state, verdict=state, code="X" if why else "", why=why)
            assert outbox.settle(tx, "main", 1, end)
        numbers.append(parcel.id)
    return numbers


def text(client: FlaskClient, address: str) -> str:
    """What a page says, without its tags."""
    answer = client.get(address)
    assert answer.status_code == 200, answer.text
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.get_data(as_text=True))).split())


def state_of(built: House, number: int) -> str:
    with built.database.read() as tx:
        record = outbox.get(tx, number)
    assert record is not None
    return record.state


def test_a_dead_message_is_shown_with_its_reason_and_sent_again(built: House, site: FlaskClient) -> None:
    (number,) = told(built, site, ("dead", "nothing is left of its text"))
    page = text(site, "/outbox")
    assert "nothing is left of its text X" in page

    answer = site.post("/outbox?state=dead", data={"csrf": token_of(site), "retry": f"{number}"})
    assert answer.status_code == 303
    assert state_of(built, number) == "queued"
    assert "1 message is queued again." in text(site, answer.headers["Location"])


def test_several_are_given_up_by_one_form_and_those_that_moved_on_are_told(built: House, site: FlaskClient) -> None:
    dead, held, arrived = told(built, site, ("dead", "x"), ("held", "no answer"), ("delivered", ""))
    form = {"csrf": token_of(site), "do": "drop", "number": [f"{dead}", f"{held}", f"{arrived}"]}
    answer = site.post("/outbox?state=dead&person=ivan", data=form)

    assert [state_of(built, number) for number in (dead, held, arrived)] == ["dropped", "dropped", "delivered"]
    page = text(site, answer.headers["Location"])
    assert "2 messages were dropped." in page
    assert "1 was left as it is" in page
    assert "person=ivan" in answer.headers["Location"]


def test_the_page_begins_with_what_most_wants_to_be_looked_at(built: House, site: FlaskClient) -> None:
    assert "Nothing is dead." in text(site, "/outbox")
    told(built, site, ("held", "no answer came"))
    assert "no answer came" in text(site, "/outbox")
    told(built, site, ("dead", "it died"))
    assert "it died" in text(site, "/outbox")
    assert "no answer came" not in text(site, "/outbox")


@pytest.mark.parametrize(
    ("question", "found"),
    [
        ("person=ivan", True),
        ("person=olga", False),
        ("rule=alarms", True),
        ("source=x", True),
        ("source=y", False),
        ("text=ALARM", True),
        ("text=nowhere", False),
        ("portal=main", True),
        ("portal=other", False),
        ("since=2026-01-01", True),
    ],
)
def test_the_list_is_narrowed_by_each_question(built: House, site: FlaskClient, question: str, found: bool) -> None:
    told(built, site, ("dead", "it died"))

    assert ("it died" in text(site, f"/outbox?state=dead&{question}")) is found


def test_a_question_that_cannot_be_read_is_named_and_nothing_is_listed(built: House, site: FlaskClient) -> None:
    told(built, site, ("dead", "it died"))
    page = text(site, "/outbox?since=yesterday")

    assert "Since: this cannot be understood." in page
    assert "it died" not in page


def test_a_reader_sees_the_reasons_and_no_buttons(built: House, site: FlaskClient, reader: FlaskClient) -> None:
    (number,) = told(built, site, ("dead", "it died"))
    page = reader.get("/outbox").get_data(as_text=True)

    assert "it died" in page
    assert 'name="number"' not in page
    assert reader.post("/outbox", data={"csrf": token_of(reader), "retry": f"{number}"}).status_code == 403
    assert state_of(built, number) == "dead"


@pytest.mark.parametrize(
    "form",
    [
        {"do": "retry"},
        {"do": "dance", "number": "1"},
        {"number": "1"},
        {"do": "drop", "number": "one"},
        {"do": "drop", "number": "9" * 30},
        {"do": "drop", "number": ["1"] * 51},
    ],
    ids=str,
)
def test_a_form_without_sense_changes_nothing(built: House, site: FlaskClient, form: dict[str, object]) -> None:
    (number,) = told(built, site, ("dead", "it died"))

    assert site.post("/outbox", data={"csrf": token_of(site), **form}).status_code == 400
    assert state_of(built, number) == "dead"


def test_a_form_without_the_token_changes_nothing(built: House, site: FlaskClient) -> None:
    (number,) = told(built, site, ("dead", "it died"))

    assert site.post("/outbox", data={"retry": f"{number}"}).status_code == 403
    assert state_of(built, number) == "dead"


def test_words_of_strangers_are_text(built: House, site: FlaskClient) -> None:
    post(site, {"event": "alarm", "title": HOSTILE})
    decide(built)
    with built.database.write() as tx:
        (parcel,) = outbox.claim(tx, "main", 1, 1)
        assert outbox.settle(tx, "main", 1, Settlement(parcel=parcel, state="dead", verdict="dead", why=HOSTILE))

    assert HOSTILE not in site.get("/outbox").get_data(as_text=True)
    assert HOSTILE in text(site, "/outbox")


# ── Why a portal waits ────────────────────────────────────────────────────────────────────────────────────────────


def called(built: House, client: FlaskClient) -> None:
    """One message that arrived."""
    post(client, {"event": "alarm", "title": "the first"})
    decide(built)
    send(built, Delivered(1))


def trouble(built: House, client: FlaskClient, kind: str, why: str) -> None:
    post(client, {"event": "alarm", "title": "alarm"})
    decide(built)
    to = built.destinations()["main"]
    load = courier.claim(built.database, to, holder="host:7:abc", lease_seconds=10)
    assert isinstance(load, Load)
    answer = Answer(trouble=PortalTrouble(kind, "ACCESS_DENIED", why))  # type: ignore[arg-type]  # one of Trouble
    courier.settle(built.database, to, load, answer, jitter=0)


@pytest.mark.parametrize(
    ("kind", "sentence", "russian"),
    [
        ("rate", "It refused us for asking too often.", "запросов слишком много"),
        ("down", "It does not answer, or only with errors.", "Он не отвечает или отвечает ошибкой."),
        ("closed", "It answers, but not to us", "Он отвечает, но не нам"),
        ("expired", "Our access token has run out", "Наш токен доступа истёк"),
    ],
)
def test_a_paused_portal_says_in_plain_words_why(
    built: House, site: FlaskClient, kind: str, sentence: str, russian: str
) -> None:
    trouble(built, site, kind, "the portal's own words")
    page = text(site, "/outbox")

    assert "✗ paused" in page
    assert sentence in page
    assert "the portal's own words ACCESS_DENIED" in page
    assert "Paused since 20" in page
    assert "host:7:abc" in page
    assert russian in text(site, "/outbox?lang=ru")


def test_a_portal_s_reason_keeps_no_webhook_secret(built: House, site: FlaskClient) -> None:
    trouble(built, site, "closed", "no answer from https://acme.bitrix24.ru/rest/1/KEYKEYKEY/im.notify")

    for address in ("/outbox", "/api/v1/portals"):
        assert "KEYKEYKEY" not in site.get(address).get_data(as_text=True)


def test_a_portal_that_was_never_called_and_one_that_is_gone_say_so(built: House, site: FlaskClient) -> None:
    assert "never called yet" in text(site, "/outbox")
    post(site, {"event": "alarm", "title": "alarm"})
    decide(built)
    with built.database.write() as tx:
        tx.connection.exec_driver_sql("UPDATE message SET portal = 'gone'")

    assert "not in the rules any more" in text(site, "/outbox")


def test_a_full_bucket_is_told_as_the_portal_s_own_pace(built: House, site: FlaskClient, clock: Clock) -> None:
    called(built, site)
    with built.database.write() as tx:
        tx.connection.exec_driver_sql("UPDATE portal SET level = 51, level_at = ?", (clock.now,))
    page = text(site, "/outbox")

    assert "waits for its pace" in page
    assert "51 of 50 requests" in page


def test_the_last_day_is_a_picture_and_a_sentence(built: House, site: FlaskClient, clock: Clock) -> None:
    called(built, site)
    clock.forward(3_600)
    trouble(built, site, "down", "no answer")
    page = site.get("/outbox").get_data(as_text=True)

    assert len(re.findall(r'<path class="level" d="M[\d. MvhVz-]+"/>', page)) == 1
    assert "The bucket held up to 1 of 50 requests." in page
    assert "Paused:" in page


def test_a_bar_is_as_high_as_its_value_and_never_too_low_to_be_seen() -> None:
    span = Span(start=0, seconds=100, point=10)

    assert drawing.bars([(0, 5), (50, 10), (90, 0), (95, 0.001)], span, top=10) == (
        "M0.0 40v-20.0h28.8V40zM144.0 40v-40.0h28.8V40zM273.6 40v-1.0h28.8V40z"
    )
    assert drawing.bars([(0, 5)], span, top=0) == ""


def test_troubles_that_follow_each_other_are_one_pause() -> None:
    assert drawing.runs([0, 600, 1200, 9000], gap=600) == [(0, 1200), (9000, 9000)]


# ── For scripts ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_script_lists_messages_and_sends_them_again(built: House, app: Flask, stranger: FlaskClient) -> None:
    dead, _ = told(built, stranger, ("dead", "it died"), ("delivered", ""))
    listed = stranger.get("/api/v1/outbox?state=dead", headers=bearer(READER_TOKEN)).json
    assert listed is not None
    assert [(each["id"], each["state"], each["why"]) for each in listed["messages"]] == [(dead, "dead", "it died")]

    wish = {"do": "retry", "messages": [dead, dead + 1, 999]}
    assert stranger.post("/api/v1/outbox", json=wish, headers=bearer(READER_TOKEN)).status_code == 403
    answer = stranger.post("/api/v1/outbox", json=wish, headers=bearer(ADMIN_TOKEN))
    assert answer.json == {"done": [dead], "left": [dead + 1, 999]}


@pytest.mark.parametrize(
    "wish", [[], {}, {"do": "retry"}, {"do": "retry", "messages": "1"}, {"do": 1, "messages": [1]}]
)
def test_a_script_s_wish_without_sense_is_refused(stranger: FlaskClient, wish: object) -> None:
    assert stranger.post("/api/v1/outbox", json=wish, headers=bearer(ADMIN_TOKEN)).status_code == 400


def test_a_script_is_told_how_the_portals_are(built: House, stranger: FlaskClient, clock: Clock) -> None:
    trouble(built, stranger, "closed", "closed to us")
    answer = stranger.get("/api/v1/portals", headers=bearer(READER_TOKEN)).json
    assert answer is not None
    (portal,) = answer["portals"]

    assert (portal["name"], portal["condition"], portal["trouble"]) == ("main", "paused", "closed")
    assert (portal["messages"], portal["holder"]) == ({"queued": 1}, "host:7:abc")
    assert [point["trouble"] for point in portal["last_day"]] == ["closed"]


def test_words_for_every_condition_and_trouble_are_there() -> None:

    for condition in portals.PORTAL["properties"]["condition"]["enum"]:
        assert f"outbox.condition.{condition}" in WORDS
    for name in (*portals.TROUBLE["enum"][1:], "works", "idle", "unknown", "full", "orphaned"):
        assert f"outbox.says.{name}" in WORDS


def test_a_count_that_ended_is_told_as_so_many_or_more(
    built: House, site: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "LOOKED", 1)
    told(built, site, ("dead", "x"), ("dead", "x"))

    assert "dead 1+" in text(site, "/outbox").replace("✗ ", "")

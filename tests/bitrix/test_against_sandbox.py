"""Calls built here, before the stand-in portal that was written without them: what arrives, and what is made of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from relay import sandbox
from relay.bitrix.address import parse
from relay.bitrix.answer import read
from relay.bitrix.call import build
from relay.bitrix.client import Client
from relay.bitrix.pace import Pace, from_plan
from relay.model import Answer, Delivered, Muted, Parcel, Refused, WithoutBlocks
from tests.bitrix.parcels import parcel

IVAN, DISMISSED, MUTED, NOBODY = 17, 20, 21, 999
RICH: dict[str, Any] = {
    "COLOR_TOKEN": "alert",
    "BLOCKS": [
        {"MESSAGE": "a & b = 100% #1 + [b]ы[/b]\nnext"},
        {"DELIMITER": {}},
        {"GRID": [{"NAME": "Branch", "VALUE": "main", "DISPLAY": "ROW"}]},
        {"LINK": {"NAME": "CI", "LINK": "https://x/y?a=1&b=2#c"}},
    ],
}


@pytest.fixture
def running() -> Iterator[sandbox.Server]:
    with sandbox.serve(sandbox.Portal(rate="unlimited")) as server:
        yield server


def deliver(address: str, token: str, *parcels: Parcel) -> Answer:
    call = build(parcels)
    with Client(parse(address, token)) as client:
        reply = client.call(call.method, call.payload)
    return read(call, reply.status, reply.body, now=time.time())


def by_webhook(server: sandbox.Server, *parcels: Parcel) -> Answer:
    return deliver(server.webhook, "", *parcels)


def by_token(server: sandbox.Server, *parcels: Parcel) -> Answer:
    return deliver(server.url, server.portal.token, *parcels)


def test_a_message_arrives_the_same_alone_and_in_a_batch(running: sandbox.Server) -> None:
    message: dict[str, Any] = {"text": "[b]main[/b] 50% & more = #1\n$5 «ы»", "attach": RICH}
    alone = by_webhook(running, parcel(**message))
    batch = by_webhook(running, parcel(1, **message), parcel(2, **message))

    first, second, third = running.portal.notifications(IVAN)
    came = [
        (each.text, {**(each.attach or {}), "ID": "the second at which it was kept"}) for each in (first, second, third)
    ]
    assert came[0] == came[1] == came[2]
    assert {type(verdict) for verdict in (*alone.verdicts, *batch.verdicts)} == {Delivered}


def test_verdicts_are_what_the_portal_did(running: sandbox.Server) -> None:
    nonsense = {"BLOCKS": [{"NONSENSE": 1}]}
    parcels = [
        parcel(1),
        parcel(2, user_id=DISMISSED),
        parcel(3, user_id=MUTED),
        parcel(4, user_id=NOBODY),
        parcel(5, attach=nonsense),
        parcel(6, user_id=0),
    ]
    expected = [Delivered, Refused, Muted, Refused, WithoutBlocks, Refused]

    assert [type(verdict) for verdict in by_webhook(running, *parcels).verdicts] == expected
    assert [type(by_webhook(running, one).verdicts[0]) for one in parcels] == expected


def test_with_a_token_a_tag_replaces_and_deletes_alone_and_in_a_batch(running: sandbox.Server) -> None:
    tag = "$result[n0]" + "x" * 300
    by_token(running, parcel(1, tag=tag, text="old"))
    by_token(running, parcel(2, tag=tag, text="new"), parcel(3, text="another"))
    assert sorted(one.text for one in running.portal.notifications(IVAN)) == ["another", "new"]

    by_token(running, parcel(4, tag=tag, delete=True), parcel(5, text="third"))
    assert sorted(one.text for one in running.portal.notifications(IVAN)) == ["another", "third"]


def test_a_reference_in_a_text_is_not_followed(running: sandbox.Server) -> None:
    by_webhook(running, parcel(1), parcel(2, text="$result[n0]"), parcel(3, text="see $RESULT[n0] there"))

    texts = {one.text.replace("\u200b", "") for one in running.portal.notifications(IVAN)}
    assert texts == {"hello", "$result[n0]", "see $RESULT[n0] there"}


@pytest.mark.parametrize(
    ("changes", "kind", "code"),
    [
        ({"closed": True}, "closed", "PORTAL_DELETED"),
        ({"overloaded": True}, "closed", "OVERLOAD_LIMIT"),
        ({"plan_ended": True}, "closed", "ACCESS_DENIED"),
        ({"scopes": []}, "closed", "INSUFFICIENT_SCOPE"),
    ],
)
def test_a_portal_that_does_not_serve_us_is_closed(
    running: sandbox.Server, changes: dict[str, Any], kind: str, code: str
) -> None:
    running.portal.configure(**changes)
    for parcels in ([parcel(1)], [parcel(1), parcel(2)]):
        trouble = by_webhook(running, *parcels).trouble

        assert trouble is not None
        assert (trouble.kind, trouble.code) == (kind, code)


def test_an_expired_token_and_a_wrong_secret_are_told_apart(running: sandbox.Server) -> None:
    running.portal.expire_token()
    expired = by_token(running, parcel()).trouble
    wrong = deliver(running.webhook.replace(running.portal.secret, "wrong"), "", parcel()).trouble

    assert expired is not None
    assert wrong is not None
    assert (expired.kind, wrong.kind) == ("expired", "closed")


@pytest.mark.parametrize("leak_each_second", [False, True])
@pytest.mark.parametrize("plan", ["standard", "enterprise"])
def test_whoever_keeps_to_the_pace_is_never_refused(plan: str, leak_each_second: bool) -> None:
    now = 1_795_000_000.3
    portal = sandbox.Portal(rate=plan, leak_each_second=leak_each_second, clock=lambda: now)
    pace: Pace = from_plan(plan)
    level, level_at = 0.0, now
    with sandbox.serve(portal) as server, Client(parse(server.webhook)) as client:
        for _ in range(pace.burst + 40):
            now += pace.wait(level, level_at, now)
            level, level_at = pace.level(level, level_at, now) + 1, now
            assert client.call("profile", {}).status == 200

"""A few dozen odd answers to the real courier; and what the fuzzer would say of one that loses messages."""

from __future__ import annotations

from typing import Any

import pytest

from relay.bitrix import answer
from relay.store import outbox
from relay.store.outbox import Settlement
from tests.fuzz.answers import Asked, good, odd
from tests.fuzz.changes import drawn
from tests.fuzz.portal_answers import Portal, run

NOW = 1_795_000_000.0
BATCH = Asked("batch", {"n0": "im.notify.personal.add", "n1": "im.notify.delete"})


def test_no_message_is_lost_whatever_the_portal_answers() -> None:
    report = run(count=60, seed=3)

    assert report.faults == []
    assert report.answers >= 60
    assert report.states["delivered"] > 10


def test_a_seed_and_a_number_make_the_same_answer_again() -> None:
    first, again = ([odd(drawn(3, number), BATCH, NOW).raw[:15] for number in range(100)] for _ in range(2))

    assert first == again


def test_a_good_answer_has_a_result_for_each_command() -> None:
    result = good(BATCH, NOW)["result"]["result"]

    assert result.keys() == BATCH.commands.keys()
    assert result["n1"] is True


def test_a_courier_that_fails_on_an_answer_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def read(*_: Any, **__: Any) -> None:
        raise ValueError

    monkeypatch.setattr(answer, "read", read)

    assert any("the relay failed on a message" in each for each in run(count=3, seed=1).faults)


def test_a_message_that_is_put_aside_without_a_word_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    settle_all = outbox.settle_all

    def silent(tx: Any, portal: str, epoch: int, settlements: list[Settlement]) -> list[Settlement]:
        mute = [Settlement(parcel=each.parcel, state="dead", verdict="dead") for each in settlements]
        return settle_all(tx, portal, epoch, mute)

    monkeypatch.setattr(outbox, "settle_all", silent)

    assert any("nobody says why" in each for each in run(count=3, seed=1).faults)


def test_an_older_message_after_a_newer_one_is_out_of_order_and_a_repeat_is_not() -> None:
    portal = Portal(seed=1, is_odd=False)
    for number in (1, 2, 2, 3):
        portal.answer("/rest/1/KEYKEYKEY/im.notify.personal.add", b'{"USER_ID": 17, "MESSAGE": "m|a|%d"}' % number)
    assert portal.out_of_order() == []

    portal.answer("/rest/1/KEYKEYKEY/im.notify.personal.add", b'{"USER_ID": 17, "MESSAGE": "m|a|2"}')
    assert len(portal.out_of_order()) == 1

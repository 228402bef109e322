"""From the sender's post to the person's notification centre, through every real part of this machine."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from relay.store import journal, outbox, portals
from tests.line.conftest import Line


def texts(line: Line, person: int) -> list[str]:
    return [notification.text for notification in line.notifications(person)]


def test_a_review_request_reaches_the_reviewer_and_nobody_else(line: Line) -> None:
    answer = line.github("pull_request", review_requested("ivan-petrov"))

    assert (answer.status_code, answer.json) == (202, {"event": 1})
    line.until(lambda: bool(line.notifications(17)))
    assert "Refund in two steps" in texts(line, 17)[0]
    assert not line.notifications(18)


def test_the_same_delivery_again_is_answered_and_not_told_again(line: Line) -> None:
    first = line.github("pull_request", review_requested("ivan-petrov"), delivery="d-1")
    again = line.github("pull_request", review_requested("ivan-petrov"), delivery="d-1")

    assert first.status_code == 202
    assert (again.status_code, again.json) == (200, {"event": first.json["event"], "duplicate": True})
    line.until(line.settled)
    assert len(line.portal.commands("im.notify.personal.add")) == 1


def test_with_an_applications_token_the_newer_state_replaces_the_older(make_line: Callable[..., Line]) -> None:
    line = make_line(mode="token")
    line.start()
    for title in ("one", "two"):
        line.deploy(title=title)
        line.until(line.settled)

    assert len(texts(line, 17)) == 1
    assert "two" in texts(line, 17)[0]


def test_with_a_webhook_both_states_stay(make_line: Callable[..., Line]) -> None:
    line = make_line(mode="webhook")
    line.start()
    for title in ("one", "two"):
        line.deploy(title=title)
        line.until(line.settled)

    assert len(texts(line, 17)) == 2


def test_an_unsent_older_state_is_never_sent(make_line: Callable[..., Line]) -> None:
    line = make_line(mode="webhook")
    for title in ("one", "two", "three"):
        line.deploy(title=title)
    line.start()
    line.until(lambda: sum(line.states().values()) == 3 and line.settled())

    assert line.states() == {"superseded": 2, "delivered": 1}
    assert "three" in texts(line, 17)[0]


def test_an_event_that_no_rule_wants_is_accepted_and_kept(make_line: Callable[..., Line]) -> None:
    line = make_line(rules=RULES_WITHOUT_DEFAULT)
    line.start()
    answer = line.github("star", {"action": "created", "repository": {"full_name": "a/b"}, "sender": {"login": "x"}})

    assert answer.status_code == 202
    line.until(line.settled)
    with line.house.database.read() as tx:
        (entry,) = journal.latest(tx, limit=10)
    assert entry.outcome in ("no_rule", "dropped")


def test_one_who_muted_the_notifications_is_recorded_so_and_not_tried_again(line: Line) -> None:
    line.deploy(person="mute")
    line.until(line.settled)

    assert line.states() == {"muted": 1}


def test_a_person_whom_the_portal_refuses_is_replaced_by_the_fallback(line: Line) -> None:
    line.deploy(person="gone", title="to whom it may concern")
    line.until(lambda: bool(line.notifications(18)))

    line.until(line.settled)
    assert line.states() == {"dead": 1, "delivered": 1}


def test_blocks_that_the_portal_refuses_are_left_out_the_second_time(line: Line) -> None:
    line.portal.fail("error", code="ATTACH_ERROR", status=400, method="im.notify.personal.add")
    line.github("pull_request", review_requested("ivan-petrov"))
    line.until(line.settled)

    assert tries(line) == ["plain", "delivered"]
    (sent,) = line.portal.commands("im.notify.personal.add")
    assert "ATTACH" not in sent.params


def tries(line: Line) -> list[str]:
    with line.house.database.read() as tx:
        (record,) = outbox.latest(tx, limit=10)
        return [attempt.verdict for attempt in outbox.attempts(tx, record.id)]


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "rate"},
        {"kind": "error", "code": "INTERNAL_SERVER_ERROR", "status": 500},
        {"kind": "html", "status": 502},
        {"kind": "reset", "when": "before"},
        {"kind": "reset", "when": "after"},
        {"kind": "garbage"},
    ],
    ids=lambda fault: "-".join(map(str, fault.values())),
)
def test_what_passes_by_itself_delays_a_message_and_loses_none(line: Line, fault: dict[str, Any]) -> None:
    line.portal.fail(**fault)
    line.deploy(title="through the storm")
    line.until(line.settled)

    assert len(texts(line, 17)) == 1
    assert line.states() == {"delivered": 1}


def test_a_closed_portal_keeps_its_messages_and_goes_on_by_itself(line: Line) -> None:
    line.portal.fail("error", times=2, code="INVALID_CREDENTIALS", status=401)
    line.deploy()
    line.until(lambda: bool(trouble(line)))
    assert trouble(line) == "closed"
    assert line.states() == {"queued": 1}

    line.until(line.settled)
    assert line.states() == {"delivered": 1}
    assert trouble(line) == ""


def trouble(line: Line) -> str:
    with line.house.database.read() as tx:
        return "".join(state.trouble for state in portals.everything(tx))


def test_an_answer_that_never_came_is_held_where_a_repeat_would_show_twice(make_line: Callable[..., Line]) -> None:
    line = make_line(mode="webhook")
    line.portal.fail("reset", when="after")
    line.start()
    line.deploy()
    line.until(line.settled)

    assert line.states() == {"held": 1}
    with line.house.database.write() as tx:
        (record,) = outbox.latest(tx, limit=1)
        assert outbox.retry(tx, record.id)
    line.until(lambda: line.states() == {"delivered": 1})


def review_requested(login: str) -> dict[str, Any]:
    return {
        "action": "review_requested",
        "requested_reviewer": {"login": login, "type": "User"},
        "pull_request": {
            "number": 1,
            "title": "Refund in two steps",
            "html_url": "https://github.com/acme/shop/pull/1",
            "user": {"login": "olga-smirnova", "type": "User"},
        },
        "repository": {"full_name": "acme/shop", "html_url": "https://github.com/acme/shop"},
        "sender": {"login": "olga-smirnova", "type": "User"},
    }


RULES_WITHOUT_DEFAULT = """\
version: 1
portal: {portal}
sources:
  github: {{type: github, secret: "${{GITHUB_SECRET}}"}}
people:
  ivan: {{id: 17}}
rules:
  - {{when: {{event: push}}, to: ivan}}
default: drop
"""

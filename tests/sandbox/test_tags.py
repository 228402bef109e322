"""Tags: what replaces what, and for whom; the two readings of a webhook's tags."""

from __future__ import annotations

import hashlib

import pytest

from relay.sandbox import Portal
from tests.sandbox.build import APP, SEND, WEBHOOK, ask, send

PREFIX = f"MP|{hashlib.md5(b'local.sandbox').hexdigest()[:5]}|"


def test_an_apps_newer_one_takes_the_place_of_the_older_in_the_same_list(portal: Portal) -> None:
    old = send(portal, "old", 17, APP, TAG="ci", SUB_TAG="main")
    others = send(portal, "other's", 18, APP, TAG="ci")
    new = send(portal, "new", 17, APP, TAG="ci")

    (shown,) = portal.notifications(17)
    assert (shown.id, shown.text, shown.tag, shown.read, shown.replaced) == (new, "new", f"{PREFIX}ci", False, 1)
    assert new > old
    assert [other.id for other in portal.notifications(18)] == [others]


def test_replacement_counts_up_and_other_tags_stay(portal: Portal) -> None:
    send(portal, "other", 17, APP, TAG="cd")
    for number in range(3):
        send(portal, f"{number}", 17, APP, TAG="ci")

    assert [(shown.text, shown.replaced) for shown in portal.notifications(17)] == [("2", 2), ("other", 0)]


def test_the_newer_one_names_the_earlier_authors(portal: Portal) -> None:
    ask(portal, SEND, APP, USER_ID=1, MESSAGE="by me", TAG="x")
    ask(portal, "im.notify.system.add", APP, USER_ID=1, MESSAGE="by the system", TAG="x")

    (shown,) = ask(portal, "im.notify.get")["notifications"]
    assert shown["params"]["USERS"] == [1]


@pytest.mark.parametrize("client_id", ["", "relay"])
def test_a_webhooks_tag_is_dropped_without_a_word(portal: Portal, client_id: str) -> None:
    for text in ("old", "new"):
        send(portal, text, 17, WEBHOOK, TAG="ci", CLIENT_ID=client_id)

    assert [(shown.text, shown.tag) for shown in portal.notifications(17)] == [("new", ""), ("old", "")]
    assert ask(portal, "im.notify.delete", TAG="ci", CLIENT_ID="relay") is True
    assert len(portal.notifications(17)) == 2


def test_honoured_a_webhooks_tag_works_with_client_id_only(portal: Portal) -> None:
    portal.configure(webhook_tags="honour")
    for client_id in ("relay", "relay", ""):
        send(portal, "x", 17, WEBHOOK, TAG="ci", CLIENT_ID=client_id)

    custom = hashlib.md5(b"customrelay").hexdigest()[:5]
    assert [shown.tag for shown in portal.notifications(17)] == ["", f"MP|{custom}|ci"]
    ask(portal, "im.notify.delete", TAG="ci", CLIENT_ID="relay")
    assert [shown.tag for shown in portal.notifications(17)] == [""]


def test_a_tag_is_deleted_for_all_recipients_and_says_true_anyway(portal: Portal) -> None:
    for recipient in (17, 18):
        send(portal, "x", recipient, APP, TAG="ci")

    assert [ask(portal, "im.notify.delete", APP, TAG="ci") for _ in range(2)] == [True, True]
    assert portal.notifications(17) == portal.notifications(18) == []


def test_a_second_tag_has_no_uniqueness_and_tells_whether_it_matched(portal: Portal) -> None:
    for _ in range(2):
        send(portal, "x", 17, APP, SUB_TAG="main")
    assert len(portal.notifications(17)) == 2

    assert [ask(portal, "im.notify.delete", APP, SUB_TAG="main") for _ in range(2)] == [True, False]


@pytest.mark.parametrize(("length", "accepted"), [(246, True), (247, False)])
def test_a_stored_tag_has_255_characters_at_most(portal: Portal, length: int, accepted: bool) -> None:
    assert bool(send(portal, "x", 17, APP, TAG="t" * length)) is accepted

"""Every event and action that GitHub has published concerns somebody, has a tag, and is said in words of its own."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping

import pytest

from relay.model import Event
from relay.render import Reader, compose
from relay.render.defaults import load
from relay.render.reader import Locale
from relay.sources.github_events import ROWS, row
from tests.render import judge
from tests.sources.github_published import Pair, pairs, pairs_of_examples

pytestmark = pytest.mark.senders

BY_RULE = "GitHub names only who did it: it is for lists of people in the rules"
# The events of which the table names no role, each with its reason; of some only one action.
CONCERN_NOBODY: Mapping[str, str] = {
    "check_run.rerequested": "who asked for it again knows; the result is the next event",
    "check_suite.rerequested": "who asked for it again knows; the result is the next event",
    "custom_property": BY_RULE,
    "fork": BY_RULE,
    "gollum": BY_RULE,
    "label": BY_RULE,
    "marketplace_purchase": "the account that buys is a customer's, not a person here",
    "meta": "about the webhook itself, which is the admins'",
    "org_block": "who is blocked is the last to be told by us",
    "organization.deleted": BY_RULE,
    "organization.renamed": BY_RULE,
    "ping": "about the webhook itself, which is the admins'",
    "project_column": BY_RULE,
    "security_advisory": "of GitHub's own database: about no repository, and from nobody",
    "star": BY_RULE,
    "watch": BY_RULE,
}
# What the words are chosen by where that is not the action.
CONCLUSIONS = {
    "pull_request_review": "approved",
    "deployment_status": "success",
    "projects_v2_status_update": "at_risk",
}
NAMES = re.compile(r"\bT\b|\bann\b|acme/shop|GitHub|Marketplace|Pages")


@pytest.fixture(scope="module")
def published() -> set[Pair]:
    """The OpenAPI description has the newest events, the examples are older."""
    return pairs() | pairs_of_examples()


def test_there_are_as_many_as_were_published(published: set[Pair]) -> None:
    assert len(published) >= 261
    assert {event for event, _ in published} <= set(ROWS)


def test_every_action_concerns_somebody_or_says_why_not(published: set[Pair]) -> None:
    nobody = {(event, action) for event, action in published if not row(event, action)["concerns"]}
    excused = {pair for pair in published if pair[0] in CONCERN_NOBODY or ".".join(pair) in CONCERN_NOBODY}

    assert sorted(nobody ^ excused) == []


def test_every_action_has_a_tag_of_its_own_thing(published: set[Pair]) -> None:
    bare = {event for event, action in published if row(event, action)["key"] == "{R}:{EVENT}"}

    assert bare == {"fork", "star", "watch", "secret_scanning_scan"}  # one for the repository, as facts of it


@functools.cache
def said(event: str, action: str, conclusion: str, locale: Locale) -> str:
    """The text for an event of which little is known."""
    state = row(event, action)["state"]
    bare = Event(
        source="github",
        type="github",
        event=event,
        action=action,
        conclusion=conclusion,
        state=state if isinstance(state, str) else "info",
        title="T",
        repo="acme/shop",
        number=3,
        actor="ann",
        payload={},
    )
    wording = compose(bare, None, reader=Reader("Ivan", locale), rule="r")
    assert wording.note == "", f"{event}.{action}"
    return wording.text.replace(judge.ZERO_WIDTH, "")


def generic(event: str, action: str, locale: Locale) -> bool:
    """Would any other word that GitHub may come to use be said in the same way?"""
    own = said(event, action, CONCLUSIONS.get(event, ""), locale)
    return own == said(event, "frobbed_it", "frobbed_it", locale).replace("frobbed it", action.replace("_", " "))


def test_every_action_has_words_of_its_own(published: set[Pair]) -> None:
    without = sorted(event for event in {event for event, _ in published} if f"github.{event}" not in load("en"))
    several = [pair for pair in published if pair[0] != "repository_dispatch" and len(actions(published, pair[0])) > 1]

    assert without == []
    assert sorted(pair for pair in several if generic(*pair, "en") and generic(*pair, "ru")) == []


def actions(published: set[Pair], event: str) -> set[str]:
    return {action for name, action in published if name == event}


def test_the_russian_words_are_russian(published: set[Pair]) -> None:
    """An action that the table does not know would stand there in English."""
    texts = {(event, action): said(event, action, CONCLUSIONS.get(event, ""), "ru") for event, action in published}
    english = {pair: text for pair, text in texts.items() if re.search(r"[A-Za-z]{2,}", NAMES.sub("", text))}

    assert english == {}

"""What the relay makes of GitHub's events: every row of the table, and payloads of any other shape."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relay.errors import NotUnderstood, Refused
from relay.model import Event
from relay.sources import github
from relay.sources.github_columns import PLACEHOLDER
from relay.sources.github_events import ROWS, row
from relay.sources.github_row import ALERT, ASKED, CI, COMMENT, WORK, Row
from tests.sources.github_cases import (
    AROUND,
    CASES,
    ISSUE,
    OPTIONS,
    PULL,
    REMARK,
    RUN,
    Case,
    posted,
    read,
    user,
)
from tests.sources.posts import WRONG_TYPES, places, swapped

# A role of the rules, and the word of the event that names its people.
ROLES = {
    "actor": "actor",
    "author": "author",
    "assignee": "assignees",
    "reviewer": "reviewers",
    "mentioned": "mentioned",
    "committer": "committers",
    "owner": "owners",
}

PATH = r"\w+(?:\.\w+)*(?:\[\](?:\.\w+)*)*"
PATHS = re.compile(rf"{PATH}(?:\|{PATH})*")

# ── The table ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("case", CASES, ids=str)
def test_an_event_is_understood_by_its_row(case: Case) -> None:
    event = read(case.event, case.payload)

    assert {word: getattr(event, word) for word in case.expected} == case.expected


def test_every_row_has_a_case() -> None:
    tried = {case.event for case in CASES} | {str(case) for case in CASES}

    assert sorted(set(ROWS) - tried) == []


@pytest.mark.parametrize("name", sorted(ROWS))
def test_whom_an_event_concerns_is_reachable_by_a_role(name: str) -> None:
    cases = [case for case in CASES if name in (str(case), case.event)]
    named = {role for case in cases for role, word in ROLES.items() if getattr(read(case.event, case.payload), word)}

    concerned = set(row(*name.partition(".")[::2])["concerns"].split())

    assert concerned <= named


def test_columns_hold_only_words_that_the_table_knows() -> None:
    for name, columns in ROWS.items():
        assert set(columns) <= set(Row.__annotations__), name
        assert set(columns.get("concerns", "").split()) <= set(ROLES), name


@pytest.mark.parametrize("name", sorted(ROWS))
def test_a_row_is_written_in_the_columns_language(name: str) -> None:
    texts = {column: text for column, text in ROWS[name].items() if isinstance(text, str) and column != "concerns"}
    if isinstance(state := ROWS[name].get("state"), tuple):
        texts["state"] = state[1]
    templates = {"key", "title", "text", "url", "conclusion", "severity", "started_at", "mentions", "state"}

    for column, text in texts.items():
        paths = [match[1] for match in PLACEHOLDER.finditer(text)] if column in templates else text.split()
        rest = PLACEHOLDER.sub("", text) if column in templates else ""
        assert not set("{}|") & set(rest), column
        assert all(PATHS.fullmatch(path) for path in paths), column


def test_every_word_for_a_state_means_one_of_the_five() -> None:
    for table in (WORK, COMMENT, CI, ALERT, ASKED):
        assert set(table.values()) <= {"firing", "resolved", "open", "closed", "info"}


def test_a_row_of_an_action_refines_the_row_of_its_event() -> None:
    refined, plain = row("pull_request", "review_requested"), row("pull_request", "labeled")

    assert refined["key"] != plain["key"]
    assert refined["title"] == plain["title"]


# ── Keys: what replaces what ──────────────────────────────────────────────────────────────────────────────────


def test_a_success_replaces_the_failure_of_the_same_workflow_and_branch() -> None:
    failed = read("workflow_run", AROUND | {"action": "completed", "workflow_run": RUN})
    mended = read(
        "workflow_run", AROUND | {"action": "completed", "workflow_run": RUN | {"id": 101, "conclusion": "success"}}
    )

    assert (failed.state, mended.state) == ("firing", "resolved")
    assert failed.key == mended.key


def test_a_fork_s_main_is_not_ours() -> None:
    head = {"ref": "main", "repo": {"full_name": "fan/shop"}}
    event = read("pull_request", AROUND | {"action": "opened", "pull_request": PULL | {"head": head}})

    assert (event.branch, event.base_branch) == ("fan:main", "main")


def test_a_deleted_fork_leaves_the_branch_s_name() -> None:
    head = {"ref": "main", "repo": None}
    event = read("pull_request", AROUND | {"action": "opened", "pull_request": PULL | {"head": head}})

    assert event.branch == "main"


@pytest.mark.parametrize("word", ["cancelled", "skipped", "neutral", "stale", "pending", "in_progress", "inactive"])
def test_a_conclusion_that_says_neither_good_nor_bad_is_only_news(word: str) -> None:
    event = read("workflow_run", AROUND | {"action": "completed", "workflow_run": RUN | {"conclusion": word}})

    assert (event.state, event.conclusion) == ("info", word)


# ── People ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("author", "expected"),
    [
        ({"username": "kolya", "email": "k@example.com"}, ("kolya",)),
        ({"name": "Kolya", "email": "k@example.com"}, ("k@example.com",)),
        ({"email": "583231+kolya@users.noreply.github.com"}, ("kolya",)),
        ({"email": "kolya@users.noreply.github.com"}, ("kolya",)),
        ({"email": "1+dependabot[bot]@users.noreply.github.com"}, ("dependabot[bot]",)),
        ({"name": "Kolya", "email": None}, ()),
        ({"name": "Kolya", "email": ""}, ()),
        ({"email": "ivan-petrov"}, ()),  # git lets anybody write this; it shall not pass for a login
        ({"email": "acme/backend@x"}, ()),  # nor for a team
        (None, ()),
    ],
)
def test_a_commit_s_author_is_a_login_or_else_an_e_mail(author: object, expected: tuple[str, ...]) -> None:
    event = read("push", AROUND | {"ref": "refs/heads/main", "commits": [{"message": "m", "author": author}]})

    assert event.committers == expected


def test_one_person_in_two_spellings_is_one() -> None:
    people = [user("Anna"), user("boris"), user("anna")]
    event = read("issues", AROUND | {"action": "closed", "issue": ISSUE | {"assignees": people}})

    assert event.assignees == ("Anna", "boris")


@pytest.mark.parametrize(
    ("sender", "is_bot"),
    [
        (user("renovate[bot]"), True),
        (user("ci", "Bot"), True),
        (user("sender"), False),
        (user("acme", "Organization"), False),
    ],
)
def test_a_bot_is_known_by_its_type_or_its_name(sender: dict[str, Any], is_bot: bool) -> None:
    event = read("star", AROUND | {"sender": sender})

    assert (event.actor, event.actor_is_bot) == (sender["login"], is_bot)


def test_a_bot_that_started_a_run_is_a_bot_whoever_sent_it() -> None:
    run = RUN | {"triggering_actor": user("dependabot[bot]", "Bot")}
    event = read("workflow_run", AROUND | {"action": "completed", "workflow_run": run})

    assert (event.actor, event.actor_is_bot) == ("dependabot[bot]", True)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"body": {"from": "Hello @Anna"}}, ("boris",)),
        ({"body": {"from": "Hello"}}, ("anna", "boris")),
        ({"body": {"from": None}}, ("anna", "boris")),
        ({"title": {"from": "Old"}}, ()),
        ({}, ()),
        (None, ()),
    ],
)
def test_an_edited_text_calls_only_those_whom_it_did_not_call_before(
    changes: object, expected: tuple[str, ...]
) -> None:
    comment = REMARK | {"body": "Hello @anna and @boris"}
    event = read("issue_comment", AROUND | {"action": "edited", "issue": ISSUE, "comment": comment, "changes": changes})

    assert event.mentioned == expected


# ── Links ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "ftp://ci/1", "//ci/1", "https://ci/a b", "https://", "", "https://ci/\x1b"]
)
def test_only_web_addresses_are_links(url: str) -> None:
    event = read("status", AROUND | {"sha": "1", "context": "ci", "state": "error", "target_url": url})

    assert event.url == AROUND["repository"]["html_url"]


def test_an_address_with_a_piece_missing_is_no_link() -> None:
    event = read("check_suite", AROUND | {"check_suite": {"head_sha": None}})

    assert event.url == AROUND["repository"]["html_url"]


# ── Events that the table does not know ───────────────────────────────────────────────────────────────────────


def test_an_unknown_event_says_what_it_can() -> None:
    payload = AROUND | {
        "action": "launched",
        "rocket": {"html_url": "https://github.com/acme/shop/rockets/1", "pilot": user("anna")},
        "stage": {"html_url": "https://github.com/acme/shop/rockets/1#stage-2"},
        "pilot": user("somebody-with-a-very-long-login-name-indeed"),
    }
    event = read("rocket", payload)

    assert (event.event, event.action, event.title) == ("rocket", "launched", "rocket launched")
    assert (event.key, event.repo, event.actor) == ("acme/shop:rocket", "acme/shop", "sender")
    assert event.url == "https://github.com/acme/shop/rockets/1#stage-2"
    assert event.state == "info"


def test_an_unknown_event_s_link_is_fit_to_be_stored() -> None:
    event = read("rocket", {"rocket": {"html_url": "https://rocket.example/\ud800"}})

    assert event.url == "https://rocket.example/"


def test_an_unknown_event_about_nothing_is_read_all_the_same() -> None:
    event = read("rocket", {})

    assert (event.title, event.key, event.url, event.actor) == ("rocket", ":rocket", "", "")


# ── Any other payload ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("case", "place", "path"),
    [
        (("issues", "issue"), ("issue", "title"), "issue.title"),
        (("issues", "issue"), ("issue", "assignees"), "issue.assignees"),
        (("issues", "issue"), ("issue", "assignees", 1), "issue.assignees.1"),
        (("issues", "issue"), ("issue", "labels", 0, "name"), "issue.labels.0.name"),
        (("issues", "issue"), ("issue",), "issue"),
        (("issues", "issue"), ("sender",), "sender"),
        (("issues", "issue"), ("action",), "action"),
    ],
)
def test_a_wrong_type_is_refused_by_its_path(case: tuple[str, str], place: tuple[str | int, ...], path: str) -> None:
    payload = AROUND | {"action": "opened", "issue": ISSUE}

    with pytest.raises(NotUnderstood, match=rf"^{path} is not "):
        read("issues", swapped(payload, place, 1.5))


def test_what_was_found_instead_is_not_repeated() -> None:
    with pytest.raises(NotUnderstood) as refusal:
        read("issues", AROUND | {"issue": ["hunter2"]})

    assert "hunter2" not in str(refusal.value)


@settings(max_examples=600, deadline=None)
@given(data=st.data())
def test_a_payload_of_any_shape_is_read_or_refused(data: st.DataObject) -> None:
    case = data.draw(st.sampled_from(CASES))
    payload: Any = case.payload
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.sampled_from(places(payload)))
        payload = swapped(payload, place, data.draw(st.sampled_from(WRONG_TYPES)))
    try:
        event = read(case.event, payload)
    except Refused:
        return
    assert_sound(event)


@settings(max_examples=200, deadline=None)
@given(
    event=st.sampled_from([*sorted({case.event for case in CASES}), "rocket"]),
    payload=st.dictionaries(
        st.sampled_from(["action", "ref", "sender", "repository", "issue", "changes", "", "alert", "commits"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=5),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["login", "ref", "a"]), inner),
            max_leaves=6,
        ),
    ),
)
def test_any_object_is_read_or_refused(event: str, payload: dict[str, Any]) -> None:
    try:
        understood = read(event, payload)
    except Refused:
        return
    assert_sound(understood)


def assert_sound(event: Event) -> None:
    """Something to show, something to replace by, and nothing that a store would choke on."""
    assert event.title
    assert event.key
    for field in fields(event):
        if field.name != "payload":
            text = str(getattr(event, field.name))
            assert "\0" not in text
            text.encode()


def test_the_payload_stands_whole_in_the_event() -> None:
    payload = AROUND | {"action": "created", "extra": {"deep": [1]}}

    assert read("star", payload).payload == json.loads(json.dumps(payload))


def test_a_push_of_as_many_commits_as_github_sends_is_one_event() -> None:
    commits = [{"message": f"Change {n}", "author": {"username": "kolya"}, "added": [f"{n}.py"]} for n in range(2048)]
    reading = github.read("github", OPTIONS, posted("push", AROUND | {"ref": "refs/heads/main", "commits": commits}))

    (event,) = reading.events
    assert event.committers == ("kolya",)
    assert len(event.paths) == 2048

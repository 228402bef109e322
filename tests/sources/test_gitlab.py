"""GitLab: whom it believes, what each of its events becomes, and payloads of any other shape."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from relay.errors import NotUnderstood, Unauthorized
from relay.model import Event
from relay.sources import gitlab
from relay.sources.gitlab import Options
from relay.sources.gitlab_events import ROWS, row
from tests.sources.hostile import assert_sound, read_or_refused
from tests.sources.posts import FIXTURES, posted, stored, with_headers

Json = dict[str, Any]

NOW = 1_614_265_330.0
WEB = "https://gitlab.example.com/acme/shop"
STORED = sorted(f"gitlab/{path.stem}" for path in (FIXTURES / "gitlab").glob("*.http"))


def options(**given: object) -> Options:
    return Options.model_validate({"type": "gitlab"} | (given or {"secret": "s3cret"}))


def read(payload: Json, headers: Mapping[str, str] | None = None) -> Event:
    (event,) = gitlab.read("gitlab", options(), posted(payload, headers)).events
    return event


# ── Options and proof ─────────────────────────────────────────────────────────────────────────────────────────

# Standard Webhooks 1.0, the specification's own example.
KEY, SENT, BODY = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", b'{"test": 2432232314}'
SIGNED = {
    "webhook-id": SENT,
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"open": False}, "give secret or signing_token"),
        ({"open": True, "secret": "s"}, "keep one of them"),
        ({"open": True, "signing_token": KEY}, "keep one of them"),
        ({"signing_token": "whsec_!!!"}, "whsec_ and then base64"),
        ({"secret": " "}, "is empty"),
        ({"token": "s"}, "Extra inputs"),
    ],
)
def test_options_that_cannot_be_are_refused(given: Json, sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        options(**given)


def test_the_secret_token_is_believed_as_it_stands() -> None:
    request = posted({}, {"x-gitlab-token": "s3cret"})

    gitlab.verify(options(), request, NOW)
    gitlab.verify(options(secret=["new", "s3cret"]), request, NOW)

    assert gitlab.sign(options(), posted({}), NOW) == {"x-gitlab-token": "s3cret"}


@pytest.mark.parametrize("token", ["", "s3cre", "s3crett", "S3CRET", " s3cret", "пусто", "\udcff"])
def test_a_token_that_is_not_exactly_right_is_refused(token: str) -> None:
    with pytest.raises(Unauthorized, match="X-Gitlab-Token") as refusal:
        gitlab.verify(options(), posted({}, {"x-gitlab-token": token}), NOW)

    assert "s3cret" not in str(refusal.value)


def test_the_published_signature_is_believed() -> None:
    gitlab.verify(options(signing_token=KEY), posted(BODY, SIGNED), NOW)


def test_a_signature_is_made_as_gitlab_makes_it() -> None:
    token = "whsec_" + base64.b64encode(bytes(range(32))).decode()
    request = posted(BODY, {"webhook-id": "f5e57ebe", "idempotency-key": "f5e57ebe"})

    headers = gitlab.sign(options(signing_token=token), request, NOW)

    digest = hmac.new(bytes(range(32)), b"f5e57ebe.1614265330." + BODY, hashlib.sha256).digest()
    assert headers["webhook-signature"] == "v1," + base64.b64encode(digest).decode()
    gitlab.verify(options(signing_token=token), with_headers(request, headers), NOW)


@pytest.mark.parametrize(
    ("headers", "body", "now"),
    [
        ({}, BODY, NOW),
        ({"x-gitlab-token": KEY}, BODY, NOW),
        (SIGNED, BODY + b" ", NOW),
        (SIGNED | {"webhook-id": "msg_other"}, BODY, NOW),
        (SIGNED | {"webhook-timestamp": "1614265331"}, BODY, NOW),
        (SIGNED | {"webhook-signature": ""}, BODY, NOW),
        (SIGNED, BODY, NOW + 301),
        (SIGNED, BODY, NOW - 301),
    ],
)
def test_a_signature_that_is_wrong_or_late_is_refused(headers: Json, body: bytes, now: float) -> None:
    with pytest.raises(Unauthorized):
        gitlab.verify(options(signing_token=KEY), posted(body, headers), now)


def test_where_both_are_asked_for_both_must_hold() -> None:
    both = options(secret="s3cret", signing_token=KEY)

    gitlab.verify(both, posted(BODY, SIGNED | {"x-gitlab-token": "s3cret"}), NOW)
    for headers in (SIGNED, {"x-gitlab-token": "s3cret"}):
        with pytest.raises(Unauthorized):
            gitlab.verify(both, posted(BODY, headers), NOW)


def test_an_open_source_takes_deliveries_without_a_token_only() -> None:
    gitlab.verify(options(open=True), posted({}), NOW)

    assert gitlab.sign(options(open=True), posted({}), NOW) == {}
    for headers in ({"x-gitlab-token": "s"}, SIGNED):
        with pytest.raises(Unauthorized, match="no secret"):
            gitlab.verify(options(open=True), posted({}, headers), NOW)


def test_nothing_is_believed_where_the_secret_got_lost() -> None:
    lost = Options.model_construct(type="gitlab", secret=None, signing_token=None, open=False)

    with pytest.raises(Unauthorized, match="no secret"):
        gitlab.verify(lost, posted({}), NOW)


# ── Deliveries ────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("headers", "delivery"),
    [
        ({"idempotency-key": "i", "webhook-id": "w", "x-gitlab-webhook-uuid": "u"}, "i"),
        ({"webhook-id": "w", "x-gitlab-webhook-uuid": "u"}, "w"),
        ({"x-gitlab-webhook-uuid": "u"}, "u"),
    ],
)
def test_a_delivery_is_known_by_its_id_for_ever(headers: Json, delivery: str) -> None:
    reading = gitlab.read("gitlab", options(), posted({"object_kind": "push"}, headers))

    assert (reading.delivery, reading.window) == (delivery, None)


def test_an_event_id_that_several_hooks_share_is_no_delivery() -> None:
    reading = gitlab.read("gitlab", options(), posted({"object_kind": "push"}, {"x-gitlab-event-uuid": "e"}))

    assert reading.delivery == hashlib.sha256(b'{"object_kind": "push"}').hexdigest()
    assert reading.window == 300.0


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"\xff", b'{"a": NaN}', b"{}", b'{"text": "a custom template"}'])
def test_a_body_that_is_not_gitlab_s_is_refused(body: bytes) -> None:
    with pytest.raises(NotUnderstood):
        gitlab.read("gitlab", options(), posted(body))


@pytest.mark.parametrize(
    ("payload", "header", "name"),
    [
        ({"object_kind": "work_item"}, "Issue Hook", "work_item"),
        ({"event_name": "subgroup_create"}, "Subgroup Hook", "subgroup_create"),
        ({"object_kind": "push", "event_name": "push"}, "System Hook", "push"),
        ({}, "Feature Flag Hook", "feature_flag"),
    ],
)
def test_an_event_is_called_as_its_body_says_or_else_the_header(payload: Json, header: str, name: str) -> None:
    assert read(payload, {"x-gitlab-event": header}).event == name


@pytest.mark.parametrize("name", STORED)
def test_a_stored_request_is_read_once_it_is_signed(name: str) -> None:
    request = stored(name)
    with pytest.raises(Unauthorized):
        gitlab.verify(options(), request, NOW)

    gitlab.verify(options(), with_headers(request, gitlab.sign(options(), request, NOW)), NOW)
    (event,) = gitlab.read("gitlab", options(), request).events
    assert event.event == name.removeprefix("gitlab/").partition("__")[0]
    assert (event.source, event.type, event.repo) == ("gitlab", "gitlab", "acme/shop")
    assert_sound(event)


# ── The table ─────────────────────────────────────────────────────────────────────────────────────────────────


def user(number: int, login: str) -> Json:
    return {"id": number, "name": login, "username": login, "email": "[REDACTED]"}


PROJECT = {"path_with_namespace": "acme/shop", "web_url": WEB, "default_branch": "main"}
IVAN, ANNA, RITA, BORIS = (user(nth, name) for nth, name in enumerate(("ivan", "anna", "rita", "boris"), start=1))
AROUND: Json = {"user": IVAN, "project": PROJECT}
THING: Json = {
    "id": 99,
    "iid": 5,
    "title": "Faster search",
    "description": "As @mila.k asked",
    "state": "opened",
    "author_id": 1,
    "source_branch": "search",
    "target_branch": "main",
    "source": {"path_with_namespace": "acme/shop"},
    "created_at": "2026-11-20 10:00:00 UTC",
    "url": f"{WEB}/-/merge_requests/5",
}
COMMIT: Json = {"id": "d" * 40, "message": "Fix it\n\nNow.", "author": {"name": "K", "email": "kolya@example.com"}}
MEMBER: Json = {"group_path": "acme", "user_id": 64, "user_username": "nina", "group_access": "Guest"}
PUSH: Json = {"before": "9" * 40, "after": "d" * 40, "user_username": "ivan", "project": PROJECT, "commits": [COMMIT]}


def about(kind: str, action: str, changes: Json | None = None, **thing: Any) -> Json:
    roles: Json = {"assignees": [ANNA], "reviewers": [RITA], "labels": [{"title": "bug"}]}
    return AROUND | roles | {
        "object_kind": kind, "object_attributes": THING | thing | {"action": action}, "changes": changes or {}
    }  # fmt: skip


def turned(field: str, previous: Any, current: Any) -> Json:
    return {field: {"previous": previous, "current": current}}


ASKED, ASSIGNED = turned("reviewers", [RITA], [RITA, BORIS]), turned("assignees", [], [BORIS])
LEFT, UNASSIGNED = turned("reviewers", [RITA, BORIS], [RITA]), turned("assignees", [BORIS], [])

CASES: list[tuple[str, Json, Json]] = [
    (
        "merge_request.open",
        about("merge_request", "open"),
        {
            "key": "gitlab:acme/shop!5", "state": "open", "title": "Faster search", "branch": "search",
            "base_branch": "main", "author": "ivan", "actor": "ivan", "assignees": ("anna",), "reviewers": ("rita",),
            "mentioned": ("mila.k",), "labels": {"bug": "bug"}, "number": 5, "url": f"{WEB}/-/merge_requests/5",
            "started_at": "2026-11-20T10:00:00Z", "draft": None,
        },
    ),
    ("merge_request", about("merge_request", "close", state="closed"), {"state": "closed", "conclusion": ""}),
    (
        "merge_request.merge",
        about("merge_request", "merge", state="merged"),
        {"key": "gitlab:acme/shop!5", "state": "closed", "conclusion": "merged", "author": "ivan", "mentioned": ()},
    ),
    (
        "merge_request.review_requested",
        about("merge_request", "update", ASKED),
        {"key": "gitlab:acme/shop!5:review-request", "state": "open", "reviewers": ("boris",), "mentioned": ()},
    ),
    (
        "merge_request.review_requested",
        about("merge_request", "update", turned("reviewers", [RITA], [RITA | {"re_requested": True}])),
        {"action": "review_requested", "reviewers": ("rita",)},
    ),
    (
        "merge_request.review_request_removed",
        about("merge_request", "update", LEFT),
        {"key": "gitlab:acme/shop!5:review-request", "state": "closed", "reviewers": ("boris",)},
    ),
    ("merge_request.assigned", about("merge_request", "update", ASSIGNED), {"assignees": ("boris",)}),
    ("merge_request.unassigned", about("merge_request", "update", UNASSIGNED), {"assignees": ("boris",)}),
    (
        "merge_request.ready_for_review",
        about("merge_request", "update", turned("draft", True, False), draft=False),
        {"draft": False, "reviewers": ("rita",)},
    ),
    (
        "merge_request.converted_to_draft",
        about("merge_request", "update", turned("draft", False, True), work_in_progress=True),
        {"draft": True},
    ),
    ("merge_request.synchronize", about("merge_request", "update", oldrev="9" * 40), {"reviewers": ("rita",)}),
    ("merge_request.labeled", about("merge_request", "update", turned("labels", [], [{"title": "bug"}])), {}),
    ("merge_request.unlabeled", about("merge_request", "update", turned("labels", [{"title": "x"}], [])), {}),
    ("merge_request.milestoned", about("merge_request", "update", turned("milestone_id", None, 3)), {}),
    ("merge_request.demilestoned", about("merge_request", "update", turned("milestone_id", 3, None)), {}),
    (
        "merge_request.edited",
        about("merge_request", "update", turned("description", "As @Mila.K asked", "")),
        {"mentioned": ()},
    ),
    (
        "merge_request.edited",
        about("merge_request", "update", turned("description", "", "")),
        {"mentioned": ("mila.k",)},
    ),
    ("merge_request.update", about("merge_request", "update"), {"key": "gitlab:acme/shop!5"}),
    (
        "merge_request.approved",
        about("merge_request", "approved") | {"user": RITA, "assignees": [IVAN]},
        {"key": "gitlab:acme/shop!5:review:rita", "conclusion": "approved", "author": "ivan", "actor": "rita"},
    ),
    ("merge_request.approval", about("merge_request", "approval"), {"conclusion": "approved"}),
    ("merge_request.unapproved", about("merge_request", "unapproved"), {"conclusion": "dismissed"}),
    ("merge_request.unapproval", about("merge_request", "unapproval"), {"conclusion": "dismissed"}),
    (
        "issue.open",
        about("issue", "open", severity="high"),
        {"key": "gitlab:acme/shop#5", "severity": "high", "assignees": ("anna",), "mentioned": ("mila.k",)},
    ),
    ("issue", about("issue", "close", state="closed", severity="unknown"), {"state": "closed", "severity": ""}),
    ("issue.assigned", about("issue", "update", ASSIGNED), {"assignees": ("boris",)}),
    ("issue.unassigned", about("issue", "update", UNASSIGNED), {"assignees": ("boris",)}),
    ("work_item", about("work_item", "reopen", type="Task"), {"key": "gitlab:acme/shop#5", "state": "open"}),
    ("work_item.assigned", about("work_item", "update", ASSIGNED), {"assignees": ("boris",)}),
    ("work_item.unassigned", about("work_item", "update", UNASSIGNED), {"assignees": ("boris",)}),
    (
        "note",
        AROUND | {
            "object_kind": "note",
            "object_attributes": {"id": 7, "note": "Look, @mila.k `@code`", "action": "create", "author_id": 1},
            "merge_request": THING | {"assignee": ANNA, "author_id": 2, "draft": True},
            "commit": COMMIT,
        },
        {
            "key": "gitlab:acme/shop:note:7", "title": "Faster search", "text": "Look, @mila.k `@code`", "number": 5,
            "mentioned": ("mila.k",), "assignees": ("anna",), "author": "anna", "draft": True, "state": "info",
        },
    ),
    (
        "note",
        AROUND | {"object_kind": "note", "object_attributes": {"id": 7, "note": "@anna"}, "issue": THING},
        {"number": 5, "mentioned": ("anna",), "author": "ivan", "action": ""},
    ),
    (
        "note",
        AROUND | {"object_kind": "note", "object_attributes": {"id": 7, "note": "@anna", "action": "update"}},
        {"mentioned": ()},
    ),
    (
        "push",
        PUSH | {"object_kind": "push", "ref": "refs/heads/main"},
        {
            "key": "gitlab:acme/shop:refs/heads/main", "branch": "main", "title": "Fix it", "conclusion": "",
            "url": f"{WEB}/-/compare/{'9' * 40}...{'d' * 40}", "committers": ("kolya@example.com",), "actor": "ivan",
        },
    ),
    (
        "push",
        PUSH | {"object_kind": "push", "ref": "refs/heads/fix/#1", "before": "0" * 40},
        {"conclusion": "created", "url": f"{WEB}/-/tree/fix/%231", "branch": "fix/#1"},
    ),
    (
        "push",
        PUSH | {"object_kind": "push", "ref": "refs/heads/old", "after": "0" * 40, "commits": []},
        {"conclusion": "deleted", "url": WEB, "title": "old"},
    ),
    (
        "tag_push",
        PUSH | {"object_kind": "tag_push", "ref": "refs/tags/v1", "before": "0" * 40},
        {"key": "gitlab:acme/shop:refs/tags/v1", "branch": "", "conclusion": "created"},
    ),
    (
        "pipeline",
        AROUND | {
            "object_kind": "pipeline",
            "object_attributes": {"id": 31, "ref": "main", "status": "failed", "created_at": "2026-11-22T10:00:00Z"},
            "commit": COMMIT,
            "merge_request": {"iid": 5, "target_branch": "main"},
            "builds": [
                {"name": "unit", "status": "failed"}, {"name": "lint", "status": "failed", "allow_failure": True}
            ],
        },
        {
            "key": "gitlab:acme/shop:pipeline:main", "state": "firing", "conclusion": "failure", "action": "failed",
            "title": "Fix it", "text": "unit", "actor": "ivan", "committers": ("kolya@example.com",), "number": 5,
            "url": f"{WEB}/-/pipelines/31",
        },
    ),
    (
        "build",
        AROUND | {
            "object_kind": "build", "ref": "main", "build_id": 8, "build_name": "unit", "build_status": "failed",
            "build_allow_failure": False, "commit": {"author_email": "kolya@example.com"},
        },
        {
            "key": "gitlab:acme/shop:job:unit:main", "state": "firing", "conclusion": "failure", "title": "unit",
            "url": f"{WEB}/-/jobs/8", "committers": ("kolya@example.com",), "actor": "ivan",
        },
    ),
    (
        "build",
        AROUND | {
            "object_kind": "build", "build_name": "lint", "build_status": "failed", "build_allow_failure": True,
            "commit": {"author_email": "ivan"},
        },
        {"state": "info", "conclusion": "failure", "committers": ()},  # git lets anybody write «ivan» there
    ),
    (
        "deployment",
        AROUND | {
            "object_kind": "deployment", "status": "success", "environment": "staging",
            "deployable_url": f"{WEB}/-/jobs/8", "status_changed_at": "2021-04-28 21:50:00 +0200",
        },
        {
            "key": "gitlab:acme/shop:env:staging", "state": "resolved", "title": "staging", "actor": "ivan",
            "started_at": "2021-04-28T21:50:00+02:00",
        },
    ),
    (
        "release",
        {
            "object_kind": "release", "action": "create", "name": "v1.1", "tag": "v1.1", "description": "Thanks, @anna",
            "url": f"{WEB}/-/releases/v1.1", "project": PROJECT, "commit": COMMIT,
        },
        {
            "key": "gitlab:acme/shop:release:v1.1", "title": "v1.1", "mentioned": ("anna",), "state": "info",
            "committers": ("kolya@example.com",),
        },
    ),
    (
        "wiki_page",
        AROUND
        | {"object_kind": "wiki_page", "object_attributes": {"title": "Home", "slug": "home", "action": "delete"}},
        {"key": "gitlab:acme/shop:wiki:home", "state": "closed", "title": "Home"},
    ),
    (
        "feature_flag",
        AROUND | {"object_kind": "feature_flag", "object_attributes": {"id": 6, "name": "dark", "active": True}},
        {"key": "gitlab:acme/shop:feature_flag:6", "title": "dark", "actor": "ivan"},
    ),
    (
        "milestone",
        {
            "object_kind": "milestone", "action": "close", "project": PROJECT,
            "object_attributes": {"id": 61, "iid": 10, "title": "v1.0", "state": "closed"},
        },
        {"key": "gitlab:acme/shop:milestone:10", "state": "closed", "url": f"{WEB}/-/milestones/10", "action": "close"},
    ),
    (
        "emoji",
        AROUND | {
            "object_kind": "emoji", "event_type": "award",
            "object_attributes": {
                "id": 1, "name": "thumbsup", "action": "revoke", "awarded_on_url": f"{WEB}/-/issues/1"
            },
        },
        {"title": "thumbsup", "state": "closed", "action": "revoke", "url": f"{WEB}/-/issues/1"},
    ),
    (
        "access_token",
        {
            "object_kind": "access_token", "event_name": "expiring_access_token", "group": {"full_path": "acme"},
            "object_attributes": {"id": 25, "name": "ci", "expires_at": "2026-12-01"},
        },
        {"key": "gitlab:acme:access_token:25", "title": "ci", "text": "2026-12-01", "action": "expiring_access_token"},
    ),
    (
        "vulnerability",
        {
            "object_kind": "vulnerability",
            "object_attributes": {
                "title": "ReDoS", "state": "confirmed", "severity": "high",
                "url": f"{WEB}/-/security/vulnerabilities/1", "location": {"file": "Gemfile.lock"},
            },
        },
        {"state": "firing", "severity": "high", "paths": ("Gemfile.lock",), "title": "ReDoS"},
    ),
    *(
        (
            name,
            MEMBER | {"event_name": name},
            {"key": "gitlab:acme:member:64", "title": "nina", "text": "Guest", "action": "", "assignees": ("nina",)},
        )
        for name in (
            "user_add_to_group", "user_update_for_group", "user_remove_from_group",
            "user_access_request_denied_for_group",
        )
    ),
    ("user_access_request_to_group", MEMBER | {"event_name": "user_access_request_to_group"}, {"actor": "nina"}),
    *(
        (
            name,
            {"event_name": name, "path_with_namespace": "acme/new", "owners": [{"email": "j@example.com"}]},
            {"key": "gitlab:acme/new:project", "title": "acme/new", "owners": ("j@example.com",)},
        )
        for name in ("project_create", "project_destroy")
    ),
    *(
        (name, {"event_name": name, "full_path": "acme/team"}, {"key": "gitlab:acme/team:group", "repo": "acme/team"})
        for name in ("subgroup_create", "subgroup_destroy")
    ),
]  # fmt: skip

PEOPLE = {
    "actor": "actor", "author": "author", "assignee": "assignees", "reviewer": "reviewers", "mentioned": "mentioned",
    "committer": "committers", "owner": "owners",
}  # fmt: skip


@pytest.mark.parametrize(("name", "payload", "expected"), CASES, ids=[case[0] for case in CASES])
def test_an_event_is_understood_by_its_row(name: str, payload: Json, expected: Json) -> None:
    event = read(payload)

    assert {word: getattr(event, word) for word in expected} == expected
    assert name in (event.event, f"{event.event}.{event.action}")
    assert_sound(event)


def test_every_row_has_a_case() -> None:
    assert sorted(set(ROWS) - {name for name, _, _ in CASES}) == []


@pytest.mark.parametrize("name", sorted(ROWS))
def test_whom_an_event_concerns_is_reachable_by_a_role(name: str) -> None:
    events = [read(payload) for case, payload, _ in CASES if name in (case, case.partition(".")[0])]
    named = {role for event in events for role, word in PEOPLE.items() if getattr(event, word)}

    assert set(row(*name.partition(".")[::2])["concerns"].split()) <= named


# ── What replaces what ────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("older", "newer", "states"),
    [
        ("merge_request__open", "merge_request__merge", ("open", "closed")),
        ("pipeline__failed", "pipeline__success", ("firing", "resolved")),
    ],
)
def test_a_newer_state_replaces_the_older(older: str, newer: str, states: tuple[str, str]) -> None:
    one, other = (gitlab.read("gitlab", options(), stored(f"gitlab/{name}")).events[0] for name in (older, newer))

    assert one.key == other.key
    assert (one.state, other.state) == states


@pytest.mark.parametrize("status", ["created", "pending", "running", "skipped", "manual", "canceled", "some_day_new"])
def test_a_status_that_says_neither_good_nor_bad_is_only_news(status: str) -> None:
    event = read({"object_kind": "pipeline", "object_attributes": {"status": status}})

    assert event.state == "info"
    assert event.conclusion in ("", "skipped", "action_required", "cancelled", "some_day_new")


# ── People ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("login", "is_bot"),
    [("ivan", False), ("project_42_bot_1f2e3d", True), ("group_7_bot", True), ("ghost", True), ("robot", False)],
)
def test_a_bot_is_known_by_its_name(login: str, is_bot: bool) -> None:
    assert read({"object_kind": "emoji", "user": user(1, login)}).actor_is_bot == is_bot


def test_an_author_who_stands_nowhere_is_nobody() -> None:
    assert read(about("issue", "close", author_id=77)).author == ""


def test_a_fork_s_main_is_not_ours() -> None:
    fork = {"path_with_namespace": "fan/shop"}
    event = read(about("merge_request", "open", source=fork, source_branch="main"))

    assert (event.branch, event.base_branch) == ("fan:main", "main")


# ── Any other payload ─────────────────────────────────────────────────────────────────────────────────────────


def test_an_event_of_the_future_says_what_it_can() -> None:
    event = read(
        AROUND
        | {"object_kind": "rocket", "object_attributes": {"id": 1, "title": "Up", "action": "launch", "url": WEB}}
    )

    assert (event.event, event.action, event.title, event.state) == ("rocket", "launch", "Up", "info")
    assert (event.key, event.repo, event.actor, event.url) == ("gitlab:acme/shop:rocket:1", "acme/shop", "ivan", WEB)


@pytest.mark.parametrize(
    ("payload", "path"),
    [
        ({"object_attributes": []}, "object_attributes"),
        ({"user": "ivan"}, "user"),
        ({"assignees": {}}, "assignees"),
        ({"labels": [{"title": 1.5}]}, "labels.0.title"),
        (
            {"changes": {"reviewers": {"current": 1}}, "object_attributes": {"action": "update"}},
            "changes.reviewers.current",
        ),
        ({"object_attributes": {"iid": "5"}}, "object_attributes.iid"),
    ],
)  # fmt: skip
def test_a_wrong_type_is_refused_by_its_path(payload: Json, path: str) -> None:
    with pytest.raises(NotUnderstood, match=rf"^{path} is not "):
        read({"object_kind": "merge_request"} | payload)


REQUESTS = [*map(stored, STORED), *(posted(payload) for _, payload, _ in CASES)]


@settings(max_examples=400, deadline=None)
@given(data=st.data())
def test_a_payload_of_any_shape_is_read_or_refused(data: st.DataObject) -> None:
    read_or_refused(data, REQUESTS, lambda request: gitlab.read("gitlab", options(), request))


def test_the_payload_stands_whole_in_the_event() -> None:
    payload = AROUND | {"object_kind": "push", "extra": {"deep": [1]}, "R": "mine"}

    assert read(payload).payload == json.loads(json.dumps(payload))
    assert read(payload).repo == "acme/shop"

"""Gitea, Forgejo and Gogs: whom the relay believes, what each of their events becomes, and any other payload."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from relay.errors import NotUnderstood, Unauthorized, UnsupportedMedia
from relay.model import Event, Reading
from relay.sources import gitea
from relay.sources.gitea import Options
from relay.sources.gitea_events import ROWS, row
from tests.sources.hostile import assert_sound, read_or_refused
from tests.sources.posts import FIXTURES, posted, stored, with_headers

Json = dict[str, Any]

NOW = 0.0
WEB = "https://git.example.com/acme/shop"
FORM = {"content-type": "application/x-www-form-urlencoded"}
STORED = sorted(f"gitea/{path.stem}" for path in (FIXTURES / "gitea").glob("*.http"))

# Computed with `openssl dgst -sha256 -hmac`.
SECRET, BODY = "It's a Secret to Everybody", b'{"action":"opened"}'
DIGEST = "5ccdd8275f57d608741ad8390e42e8696ebfcd85607d9c2ef890769dda8f7568"


def options(**given: object) -> Options:
    return Options.model_validate({"type": "gitea"} | (given or {"secret": SECRET}))


def read(event: str, payload: Json, headers: Mapping[str, str] | None = None) -> Event:
    (understood,) = reading(event, payload, headers).events
    return understood


def reading(event: str, payload: object, headers: Mapping[str, str] | None = None) -> Reading:
    return gitea.read("gitea", options(), posted(payload, {"x-gitea-event": event, **(headers or {})}))


# ── Options and proof ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"open": False}, "give secret or bearer or basic or token"),
        ({"open": True, "secret": "s"}, "keep one of them"),
        ({"bearer": "s", "basic": {"username": "u", "password": "p"}}, "same Authorization header"),
        ({"secret": ""}, "is empty"),
        ({"signature": "s"}, "Extra inputs"),
    ],
)
def test_options_that_cannot_be_are_refused(given: Json, sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        options(**given)


@pytest.mark.parametrize("family", ["forgejo", "gitea", "gogs"])
def test_the_signature_of_each_of_them_is_believed_and_made(family: str) -> None:
    request = posted(BODY, {f"x-{family}-event": "push"})

    gitea.verify(options(), with_headers(request, {f"x-{family}-signature": DIGEST}), NOW)

    assert gitea.sign(options(), request, NOW) == {f"x-{family}-signature": DIGEST}


def test_of_a_form_the_json_in_it_is_signed() -> None:
    form = posted(b"payload=" + quote_plus(BODY).encode(), FORM | {"x-gitea-event": "push"})

    gitea.verify(options(), with_headers(form, {"x-gitea-signature": DIGEST}), NOW)

    assert gitea.sign(options(), form, NOW) == {"x-gitea-signature": DIGEST}


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-gitea-signature": ""},  # what they send without a secret
        {"x-hub-signature-256": "sha256="},
        {"x-hub-signature-256": "sha256=" + DIGEST},
        {"x-gitea-signature": "sha256=" + DIGEST},
        {"x-gitea-signature": DIGEST[:-1]},
        {"x-gitea-signature": DIGEST.upper()},
        {"x-gitea-signature": "0" * 64},
        {"x-gitea-signature": "пусто"},
        {"x-forgejo-signature": "0" * 64, "x-gitea-signature": DIGEST},
    ],
)
def test_a_signature_that_is_not_exactly_right_is_refused(headers: Json) -> None:
    with pytest.raises(Unauthorized, match="X-Gitea-Signature"):
        gitea.verify(options(), posted(BODY, headers), NOW)


def test_a_changed_body_or_a_form_without_json_is_refused() -> None:
    for request in (posted(BODY + b" "), posted(b"other=1", FORM)):
        with pytest.raises(Unauthorized):
            gitea.verify(options(), with_headers(request, {"x-gitea-signature": DIGEST}), NOW)


def test_the_authorization_that_a_webhook_can_have_is_asked_for_too() -> None:
    both = options(secret=SECRET, bearer="t0ken")
    headers = gitea.sign(both, posted(BODY), NOW)

    gitea.verify(both, posted(BODY, headers), NOW)
    for name in headers:
        with pytest.raises(Unauthorized):
            gitea.verify(both, posted(BODY, {other: value for other, value in headers.items() if other != name}), NOW)


def test_while_a_secret_is_changed_both_are_good() -> None:
    gitea.verify(options(secret=["new", SECRET]), posted(BODY, {"x-gogs-signature": DIGEST}), NOW)


def test_an_open_source_takes_unsigned_deliveries_only() -> None:
    gitea.verify(options(open=True), posted(BODY, {"x-gitea-signature": ""}), NOW)

    with pytest.raises(Unauthorized, match="no secret"):
        gitea.verify(options(open=True), posted(BODY, {"x-gitea-signature": DIGEST}), NOW)


def test_nothing_is_believed_where_the_secret_got_lost() -> None:
    lost = Options.model_construct(type="gitea", secret=None, open=False)

    with pytest.raises(Unauthorized, match="no credentials"):
        gitea.verify(lost, posted(BODY), NOW)


# ── Deliveries ────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_form_says_the_same_as_json() -> None:
    payload = {"ref": "refs/heads/x+y", "repository": {"full_name": "acme/zé & co"}}
    form = b"a=b&payload=" + quote_plus(json.dumps(payload, ensure_ascii=False)).encode()

    assert reading("push", form, FORM | {"x-gitea-delivery": "d"}) == reading(
        "push", payload, {"x-gitea-delivery": "d"}
    )


def test_the_youngest_name_is_the_sender_s_own() -> None:
    ids = {"x-forgejo-delivery": "f", "x-gitea-delivery": "g", "x-gogs-delivery": "o", "x-github-delivery": "h"}

    assert reading("push", {}, ids).delivery == "f"
    assert read("push", {}, {"x-forgejo-event": "action_run_success"}).event == "action_run"


def test_without_an_id_the_same_body_is_the_same_delivery_for_minutes() -> None:
    assert reading("push", {}).window == 300.0
    assert reading("push", {}, {"x-gitea-delivery": "d"}).window is None


@pytest.mark.parametrize("event", ["", " ", "Push", "pull request", "../push", "событие", "a" * 101])
def test_a_delivery_must_name_its_event(event: str) -> None:
    with pytest.raises(NotUnderstood, match="X-Gitea-Event"):
        reading(event, {})


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b"\xff", b'{"a": NaN}'])
def test_a_body_that_is_no_object_is_refused(body: bytes) -> None:
    with pytest.raises(NotUnderstood):
        reading("push", body)


def test_a_form_without_its_field_and_other_types_are_refused() -> None:
    with pytest.raises(NotUnderstood, match="no field payload"):
        reading("push", b"other=1", FORM)
    with pytest.raises(UnsupportedMedia):
        reading("push", {}, {"content-type": "application/xml"})


@pytest.mark.parametrize("name", STORED)
def test_a_stored_request_is_read_once_it_is_signed(name: str) -> None:
    request = stored(name)
    with pytest.raises(Unauthorized):
        gitea.verify(options(), request, NOW)

    gitea.verify(options(), with_headers(request, gitea.sign(options(), request, NOW)), NOW)
    (event,) = gitea.read("gitea", options(), request).events
    assert event.event == name.removeprefix("gitea/").partition("__")[0]
    assert (event.source, event.type, event.repo) == ("gitea", "gitea", "acme/shop")
    assert_sound(event)


# ── The table ─────────────────────────────────────────────────────────────────────────────────────────────────


def user(login: str) -> Json:
    return {"id": 1, "login": login, "full_name": login, "email": f"{login}@noreply.example.com", "username": login}


REPOSITORY = {"full_name": "acme/shop", "html_url": WEB, "owner": user("acme")}
AROUND: Json = {"repository": REPOSITORY, "sender": user("sender")}
PULL: Json = {
    "number": 5,
    "title": "Faster search",
    "body": "As @mila.k asked",
    "html_url": f"{WEB}/pulls/5",
    "state": "open",
    "draft": False,
    "merged": False,
    "user": user("author"),
    "assignees": [user("anna")],
    "requested_reviewers": [user("rita")],
    "requested_reviewers_teams": [{"id": 7, "name": "backend"}],
    "labels": [{"name": "bug"}],
    "head": {"ref": "search", "repo": {"full_name": "acme/shop"}},
    "base": {"ref": "main"},
    "created_at": "2026-11-20T10:00:00Z",
}
ISSUE: Json = {
    "number": 8,
    "title": "Cart is empty",
    "body": "Look, @mila.k",
    "html_url": f"{WEB}/issues/8",
    "state": "open",
    "user": user("author"),
    "assignees": [user("anna")],
    "labels": [],
}
REMARK: Json = {"id": 77, "body": "Agreed, @mila.k `@code`", "html_url": f"{WEB}/issues/8#issuecomment-77"}
COMMIT: Json = {"id": "d" * 40, "message": "Fix it\n\nNow.", "author": {"name": "K", "email": "k@example.com"}}
RELEASE: Json = {
    "id": 3,
    "name": "v1",
    "body": "Thanks, @anna",
    "author": user("author"),
    "html_url": f"{WEB}/releases/v1",
}
RUN: Json = {"workflow_id": "test.yaml", "prettyref": "main", "trigger_user": user("kolya"), "repository": REPOSITORY}


def pull(action: str, thing: Json | None = None, **more: Any) -> Json:
    return AROUND | {"action": action, "number": 5, "pull_request": PULL | (thing or {}), "review": None} | more


def review(kind: str) -> Json:
    return pull("reviewed", review={"type": kind, "content": "Test it, @anna"}, sender=user("rita"))


CASES: list[tuple[str, str, Json, Json]] = [
    (
        "pull_request.opened", "pull_request", pull("opened"),
        {
            "key": "gitea:acme/shop#5", "state": "open", "branch": "search", "base_branch": "main", "draft": False,
            "author": "author", "actor": "sender", "assignees": ("anna",), "reviewers": ("rita", "acme/backend"),
            "mentioned": ("mila.k",), "labels": {"bug": "bug"}, "number": 5, "url": f"{WEB}/pulls/5",
        },
    ),
    (
        "pull_request.closed", "pull_request",
        pull("closed", {"state": "closed", "merged": True, "merged_by": user("rita")}),
        {
            "key": "gitea:acme/shop#5", "state": "closed", "conclusion": "merged", "owners": ("rita",),
            "mentioned": (),
        },
    ),
    (
        "pull_request.review_requested", "pull_request", pull("review_requested", requested_reviewer=user("boris")),
        {"key": "gitea:acme/shop#5:review-request", "state": "open", "reviewers": ("boris",)},
    ),
    (
        "pull_request.review_request_removed", "pull_request",
        pull("review_request_removed", requested_reviewer=user("boris")),
        {"key": "gitea:acme/shop#5:review-request", "state": "closed", "reviewers": ("boris",)},
    ),
    ("pull_request.synchronized", "pull_request", pull("synchronized"), {"reviewers": ("rita", "acme/backend")}),
    ("pull_request.assigned", "pull_request", pull("assigned"), {"assignees": ("anna",)}),
    ("pull_request", "pull_request", pull("label_updated"), {"labels": {"bug": "bug"}}),
    (
        "pull_request_review", "pull_request_rejected", review("pull_request_review_rejected"),
        {
            "key": "gitea:acme/shop#5:review:rita", "conclusion": "changes_requested", "action": "reviewed",
            "mentioned": ("anna",), "reviewers": ("rita",), "author": "author", "text": "Test it, @anna",
        },
    ),
    (
        "pull_request_review", "pull_request_approved", review("pull_request_review_approved"),
        {"conclusion": "approved"},
    ),
    ("pull_request_review", "pull_request_comment", review("pull_request_review_comment"), {"conclusion": "commented"}),
    (
        "issues.opened", "issues", AROUND | {"action": "opened", "number": 8, "issue": ISSUE},
        {
            "key": "gitea:acme/shop#8", "state": "open", "assignees": ("anna",), "mentioned": ("mila.k",),
            "author": "author",
        },
    ),
    (
        "issues", "issues", AROUND | {"action": "closed", "issue": ISSUE | {"state": "closed"}},
        {"state": "closed", "number": 8},
    ),
    ("issues.assigned", "issues", AROUND | {"action": "assigned", "issue": ISSUE}, {"assignees": ("anna",)}),
    ("issues.deleted", "issues", AROUND | {"action": "deleted", "issue": ISSUE}, {"state": "closed"}),
    (
        "issues", "issues",
        AROUND | {"action": "edited", "issue": ISSUE, "changes": {"body": {"from": "Look, @Mila.K"}}},
        {"mentioned": ()},
    ),
    (
        "issue_comment", "issue_comment",
        AROUND | {"action": "created", "issue": ISSUE, "comment": REMARK, "is_pull": False},
        {
            "key": "gitea:acme/shop#8:comment:77", "mentioned": ("mila.k",), "assignees": ("anna",), "author": "author",
            "url": f"{WEB}/issues/8#issuecomment-77", "number": 8, "state": "info",
        },
    ),
    (
        "issue_comment", "issue_comment", AROUND | {"action": "deleted", "issue": ISSUE, "comment": REMARK},
        {"state": "closed", "mentioned": ()},
    ),
    (
        "push", "push",
        AROUND | {
            "ref": "refs/heads/main", "after": "d" * 40, "commits": [COMMIT, COMMIT | {"id": "c", "message": "Older"}],
            "compare_url": f"{WEB}/compare/a...d", "pusher": user("kolya"),
        },
        {
            "key": "gitea:acme/shop:refs/heads/main", "branch": "main", "title": "Fix it", "actor": "kolya",
            "committers": ("k@example.com",), "url": f"{WEB}/compare/a...d",
        },
    ),
    (
        "push", "push",
        {"ref": "refs/tags/v1", "head_commit": COMMIT, "commits": [COMMIT | {"author": {"username": "kolya"}}]},
        {"branch": "", "committers": ("kolya",), "title": "Fix it"},
    ),
    ("create", "create", AROUND | {"ref": "v1", "ref_type": "tag"}, {"key": "gitea:acme/shop:tag:v1", "branch": ""}),
    ("delete", "delete", AROUND | {"ref": "old", "ref_type": "branch"}, {"state": "closed", "branch": "old"}),
    (
        "release.published", "release", AROUND | {"action": "published", "release": RELEASE},
        {"key": "gitea:acme/shop:release:3", "title": "v1", "mentioned": ("anna",), "author": "author"},
    ),
    ("release", "release", AROUND | {"action": "updated", "release": RELEASE}, {"state": "info", "mentioned": ()}),
    ("release.deleted", "release", AROUND | {"action": "deleted", "release": RELEASE}, {"state": "closed"}),
    (
        "wiki", "wiki", AROUND | {"action": "edited", "page": "Home", "comment": "Typo"},
        {"key": "gitea:acme/shop:wiki:Home", "title": "Home", "text": "Typo"},
    ),
    ("repository", "repository", AROUND | {"action": "created"}, {"title": "acme/shop", "state": "info"}),
    ("repository.deleted", "repository", AROUND | {"action": "deleted"}, {"state": "closed"}),
    ("fork", "fork", AROUND | {"forkee": {"full_name": "fan/shop"}}, {"title": "fan/shop", "url": WEB}),
    (
        "package", "package",
        AROUND | {"action": "created", "package": {"name": "cart", "version": "1.2", "creator": user("author")}},
        {"key": "gitea:acme/shop:package:cart:1.2", "title": "cart 1.2", "author": "author"},
    ),
    (
        "status", "status",
        AROUND | {"sha": "d" * 40, "context": "ci", "state": "failure", "commit": COMMIT, "target_url": "https://ci/1"},
        {
            "key": f"gitea:acme/shop@{'d' * 40}:ci", "state": "firing", "conclusion": "failure",
            "committers": ("k@example.com",), "url": "https://ci/1",
        },
    ),
    (
        "workflow_run", "workflow_run",
        AROUND | {
            "action": "completed", "workflow": {"id": "ci.yaml", "name": "CI"},
            "workflow_run": {"id": 1, "conclusion": "success", "head_branch": "main", "trigger_actor": user("kolya")},
        },
        {"key": "gitea:acme/shop:workflow:ci.yaml:main", "state": "resolved", "title": "CI", "actor": "kolya"},
    ),
    (
        "workflow_job", "workflow_job",
        AROUND | {"action": "completed", "workflow_job": {"run_id": 1, "name": "unit", "conclusion": "failure"}},
        {"key": "gitea:acme/shop:run:1:unit", "state": "firing"},
    ),
    (
        "action_run", "action_run_failure", {"action": "failure", "run": RUN},
        {
            "key": "gitea:acme/shop:workflow:test.yaml:main", "state": "firing", "conclusion": "failure",
            "actor": "kolya", "repo": "acme/shop", "branch": "main",
        },
    ),
    (
        "action_run", "action_run_recover", {"action": "recovered", "run": RUN},
        {"key": "gitea:acme/shop:workflow:test.yaml:main", "state": "resolved", "conclusion": "success"},
    ),
]  # fmt: skip

PEOPLE = {
    "actor": "actor", "author": "author", "assignee": "assignees", "reviewer": "reviewers", "mentioned": "mentioned",
    "committer": "committers", "owner": "owners",
}  # fmt: skip


@pytest.mark.parametrize(("name", "header", "payload", "expected"), CASES, ids=[case[0] for case in CASES])
def test_an_event_is_understood_by_its_row(name: str, header: str, payload: Json, expected: Json) -> None:
    event = read(header, payload)

    assert {word: getattr(event, word) for word in expected} == expected
    assert name in (event.event, f"{event.event}.{event.action}")
    assert_sound(event)


def test_every_row_has_a_case() -> None:
    assert sorted(set(ROWS) - {name for name, *_ in CASES}) == []


@pytest.mark.parametrize("name", sorted(ROWS))
def test_whom_an_event_concerns_is_reachable_by_a_role(name: str) -> None:
    events = [read(header, payload) for case, header, payload, _ in CASES if name in (case, case.partition(".")[0])]
    named = {role for event in events for role, word in PEOPLE.items() if getattr(event, word)}

    assert set(row(*name.partition(".")[::2])["concerns"].split()) <= named


@pytest.mark.parametrize(
    ("author", "committers"),
    [
        ({"username": "kolya", "email": "k@example.com"}, ("kolya",)),
        ({"username": "", "email": "k@example.com"}, ("k@example.com",)),
        ({"email": "583231+kolya@users.noreply.github.com"}, ("583231+kolya@users.noreply.github.com",)),
        ({"username": "", "name": "Kolya", "email": "ivan"}, ()),  # git lets anybody write this
        (None, ()),
    ],
)
def test_a_commit_s_author_is_a_login_or_else_an_e_mail(author: object, committers: tuple[str, ...]) -> None:
    assert read("push", {"commits": [COMMIT | {"author": author}]}).committers == committers


@pytest.mark.parametrize(("login", "is_bot"), [("anna", False), ("gitea-actions", True), ("renovate[bot]", True)])
def test_a_bot_is_known_by_its_name(login: str, is_bot: bool) -> None:
    assert read("fork", {"sender": user(login)}).actor_is_bot == is_bot


# ── Any other payload ─────────────────────────────────────────────────────────────────────────────────────────


def test_an_event_of_the_future_says_what_it_can() -> None:
    event = read("rocket", AROUND | {"action": "launched"})

    assert (event.event, event.action, event.title, event.key) == (
        "rocket", "launched", "rocket launched", "gitea:acme/shop:rocket",
    )  # fmt: skip
    assert (event.url, event.actor, event.state) == (WEB, "sender", "info")


@pytest.mark.parametrize(
    ("payload", "path"),
    [
        ({"action": 1}, "action"),
        ({"issue": []}, "issue"),
        ({"issue": {"assignees": {}}}, "issue.assignees"),
        ({"issue": {"labels": [{"name": 1.5}]}}, "issue.labels.0.name"),
        ({"sender": {"login": 7}}, "sender.login"),
        ({"number": "5"}, "number"),
    ],
)
def test_a_wrong_type_is_refused_by_its_path(payload: Json, path: str) -> None:
    with pytest.raises(NotUnderstood, match=rf"^{path} is not "):
        read("issues", payload)


REQUESTS = [
    *(stored(name) for name in STORED if not name.endswith("_form")),
    *(posted(payload, {"x-gitea-event": header}) for _, header, payload, _ in CASES),
]


@settings(max_examples=400, deadline=None)
@given(data=st.data())
def test_a_payload_of_any_shape_is_read_or_refused(data: st.DataObject) -> None:
    read_or_refused(data, REQUESTS, lambda request: gitea.read("gitea", options(), request))

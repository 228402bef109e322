"""Small payloads for every row of GitHub's table, and what the relay shall make of each."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from relay.model import Event, Request
from relay.sources import github

Json = dict[str, Any]

OPTIONS = github.Options.model_validate({"type": "github", "secret": "secret"})


def user(login: str, kind: str = "User") -> Json:
    return {"login": login, "id": 1, "type": kind, "html_url": f"https://github.com/{login}"}


def commit(login: str, message: str = "Fix the parser\n\nIt was wrong.", **files: list[str]) -> Json:
    author = {"name": "Somebody", "email": f"{login}@example.com", "username": login}
    return {"id": "c0ffee", "message": message, "timestamp": "2026-11-23T08:00:00Z", "author": author} | files


SHOP = "https://github.com/acme/shop"
SHA = "6113728f27ae82c7b1a177c8d03f9e96e0adf246"
REPOSITORY = {
    "id": 9,
    "full_name": "acme/shop",
    "html_url": SHOP,
    "default_branch": "main",
    "description": "Things for sale",
    "owner": user("olga"),
}
TEAM = {
    "id": 7,
    "name": "Back end",
    "slug": "backend",
    "description": "They serve",
    "html_url": "https://github.com/orgs/acme/teams/backend",
}
AROUND = {"repository": REPOSITORY, "organization": {"login": "acme", "id": 2}, "sender": user("sender")}

PULL = {
    "number": 5,
    "title": "Faster search",
    "body": "As @mila asked",
    "html_url": f"{SHOP}/pull/5",
    "state": "open",
    "draft": False,
    "merged": False,
    "user": user("author"),
    "assignees": [user("anna"), user("boris")],
    "requested_reviewers": [user("rita")],
    "requested_teams": [TEAM],
    "labels": [{"name": "bug"}, {"name": "size: S"}],
    "head": {"ref": "search", "repo": {"full_name": "acme/shop"}},
    "base": {"ref": "main"},
    "created_at": "2026-11-20T10:00:00Z",
}
ISSUE = {
    "number": 8,
    "title": "Cart is empty",
    "body": "Look, @mila",
    "html_url": f"{SHOP}/issues/8",
    "state": "open",
    "state_reason": None,
    "user": user("author"),
    "assignees": [user("anna"), user("boris")],
    "labels": [{"name": "bug"}],
    "created_at": "2026-11-20T10:00:00Z",
}
DISCUSSION = {
    "number": 3,
    "title": "Which database?",
    "body": "What says @mila?",
    "html_url": f"{SHOP}/discussions/3",
    "state": "open",
    "user": user("author"),
    "labels": [],
    "created_at": "2026-11-20T10:00:00Z",
}
REMARK = {
    "id": 77,
    "body": "Agreed, @mila",
    "path": "src/cart.py",
    "commit_id": SHA,
    "html_url": f"{SHOP}/issues/8#issuecomment-77",
    "user": user("speaker"),
    "created_at": "2026-11-21T10:00:00Z",
}
MILESTONE = {"number": 2, "title": "v1", "html_url": f"{SHOP}/milestone/2", "state": "open", "creator": user("author")}
RUN = {
    "id": 100,
    "workflow_id": 10,
    "name": "CI",
    "display_title": "Fix the parser",
    "html_url": f"{SHOP}/actions/runs/100",
    "conclusion": "failure",
    "head_branch": "main",
    "head_repository": {"full_name": "acme/shop"},
    "head_commit": commit("kolya"),
    "actor": user("ivan"),
    "triggering_actor": user("trish"),
    "pull_requests": [{"number": 5, "base": {"ref": "main"}}],
    "run_started_at": "2026-11-22T10:00:00Z",
}
CHECK = {
    "name": "lint",
    "head_sha": SHA,
    "html_url": f"{SHOP}/runs/4",
    "conclusion": "timed_out",
    "app": {"slug": "linter", "name": "The linter"},
    "output": {"title": "2 faults", "summary": "In **cart**"},
    "check_suite": {"head_branch": "search"},
    "pull_requests": [{"number": 5, "base": {"ref": "main"}}],
    "started_at": "2026-11-22T10:00:00Z",
}
DEPLOYMENT = {
    "environment": "production",
    "ref": "main",
    "description": "Nightly",
    "creator": user("author"),
    "created_at": "2026-11-22T10:00:00Z",
}
ALERT = {
    "number": 6,
    "html_url": f"{SHOP}/security/6",
    "created_at": "2026-11-22T10:00:00Z",
    "assignees": [user("anna")],
}
ADVISORY = {"ghsa_id": "GHSA-aaaa", "summary": "Bad glob", "description": "Long", "severity": "moderate"}
SECRET = {**ALERT, "secret_type_display_name": "API key", "publicly_leaked": True, "assigned_to": user("anna")}
PACKAGE = {
    "id": 55,
    "name": "cart",
    "html_url": f"{SHOP}/packages/55",
    "package_version": {"version": "1.0", "summary": "A cart", "author": user("author")},
}
ADDRESS_OF_REVIEW = f"{SHOP}/pull/5#pullrequestreview-1"
REVIEW = {
    "body": "See @mila",
    "state": "changes_requested",
    "html_url": ADDRESS_OF_REVIEW,
    "user": user("rita"),
    "submitted_at": "2026-11-21T10:00:00Z",
}
REQUEST_FOR_TOKEN = {"id": 12, "owner": user("tom"), "token_name": "deploy", "created_at": "2026-11-22T10:00:00Z"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A delivery and the words of the event that are looked at."""

    event: str
    payload: Json
    expected: Mapping[str, Any]

    @property
    def action(self) -> str:
        return str(self.payload.get("action") or "")

    def __str__(self) -> str:
        return f"{self.event}.{self.action}".rstrip(".")


def case(name: str, payload: Json, **expected: Any) -> Case:
    event, _, action = name.partition(".")
    return Case(event=event, payload=AROUND | ({"action": action} if action else {}) | payload, expected=expected)


def posted(event: str, payload: object, **headers: str) -> Request:
    """An unsigned JSON delivery; headers are named in Python's way, ``x_github_delivery="…"``."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return Request(method="POST", path="/in/github", headers={"x-github-event": event} | given, body=body)


def read(event: str, payload: object) -> Event:
    """The one event of a delivery."""
    (only,) = github.read("github", OPTIONS, posted(event, payload, x_github_delivery="d-1")).events
    return only


PR = {"number": 5, "pull_request": PULL}
MERGED = {"pull_request": PULL | {"state": "closed", "merged": True, "merged_by": user("maria")}}
ASK = {"pull_request": PULL, "requested_reviewer": user("rita")}
QUEUED = {"pull_request": PULL, "reason": "CI_FAILURE"}
DEPENDENCY = {"blocked_issue": ISSUE, "blocking_issue": ISSUE | {"title": "No database"}}
PARENT = {"parent_issue": ISSUE, "sub_issue": ISSUE | {"title": "A part"}}

CASES = [
    # ── Pull requests
    case(
        "pull_request.opened", PR,
        key="acme/shop#5", title="Faster search", text="As @mila asked", url=f"{SHOP}/pull/5", state="open",
        repo="acme/shop", branch="search", base_branch="main", labels={"bug": "bug", "size: S": "size: S"},
        actor="sender", actor_is_bot=False, author="author", assignees=("anna", "boris"),
        reviewers=("rita", "acme/backend"), mentioned=("mila",), draft=False, conclusion="", number=5,
        started_at="2026-11-20T10:00:00Z",
    ),
    case("pull_request.ready_for_review", PR, reviewers=("rita", "acme/backend"), mentioned=("mila",)),
    case("pull_request.synchronize", PR, key="acme/shop#5", reviewers=("rita", "acme/backend"), mentioned=()),
    case("pull_request.labeled", PR, key="acme/shop#5", state="open", author="author", mentioned=()),
    case("pull_request.reopened", PR, key="acme/shop#5", state="open", author="author"),
    case("pull_request.converted_to_draft", {"pull_request": PULL | {"draft": True}}, draft=True, author="author"),
    case(
        "pull_request.closed", MERGED,
        key="acme/shop#5", state="closed", conclusion="merged", author="author", owners=("maria",),
    ),
    case("pull_request.closed", {"pull_request": PULL | {"state": "closed"}}, state="closed", conclusion=""),
    case("pull_request.assigned", PR | {"assignee": user("boris")}, key="acme/shop#5", assignees=("boris",)),
    case("pull_request.assigned", PR | {"assignee": None}, assignees=("anna", "boris")),
    case("pull_request.unassigned", PR | {"assignee": user("zoe")}, key="acme/shop#5", assignees=("zoe",)),
    case(
        "pull_request.review_requested", ASK, key="acme/shop#5:review-request", state="open", reviewers=("rita",)
    ),
    case("pull_request.review_requested", PR | {"requested_team": TEAM}, reviewers=("acme/backend",)),
    case("pull_request.review_requested", PR | {"requested_reviewer": None}, reviewers=()),
    case(
        "pull_request.review_request_removed", ASK,
        key="acme/shop#5:review-request", state="closed", reviewers=("rita",),
    ),
    case("pull_request.auto_merge_enabled", PR, key="acme/shop#5:queue", state="open", author="author"),
    case("pull_request.auto_merge_disabled", PR, key="acme/shop#5:queue", state="closed"),
    case("pull_request.enqueued", PR, key="acme/shop#5:queue", state="open"),
    case("pull_request.dequeued", QUEUED, key="acme/shop#5:queue", state="closed", conclusion="CI_FAILURE"),
    case(
        "pull_request_review.submitted", {"pull_request": PULL, "review": REVIEW},
        key="acme/shop#5:review:rita", text="See @mila", url=ADDRESS_OF_REVIEW, conclusion="changes_requested",
        author="author", assignees=("anna", "boris"), mentioned=("mila",), started_at="2026-11-21T10:00:00Z",
    ),
    case("pull_request_review.dismissed", {"pull_request": PULL, "review": REVIEW}, reviewers=("rita",)),
    case(
        "pull_request_review_comment.created", {"pull_request": PULL, "comment": REMARK | {"in_reply_to_id": 70}},
        key="acme/shop#5:thread:70", text="Agreed, @mila", url=REMARK["html_url"], state="info",
        paths=("src/cart.py",), author="author", mentioned=("mila",), number=5,
    ),
    case("pull_request_review_comment.deleted", PR | {"comment": REMARK}, key="acme/shop#5:thread:77", state="closed"),
    case(
        "pull_request_review_thread.resolved", PR | {"thread": {"comments": [REMARK, REMARK | {"id": 78}]}},
        key="acme/shop#5:thread:77", url=REMARK["html_url"], owners=("speaker",),
    ),
    case(
        "merge_group.destroyed",
        {
            "reason": "invalidated",
            "merge_group": {
                "head_ref": f"refs/heads/gh-readonly-queue/main/pr-104-{SHA}",
                "base_ref": "refs/heads/main",
                "head_commit": commit("kolya"),
            },
        },
        key=f"acme/shop:mq:refs/heads/gh-readonly-queue/main/pr-104-{SHA}", number=104, conclusion="invalidated",
        state="closed", base_branch="main", committers=("kolya",), title="Fix the parser",
    ),
    # ── Issues and discussions
    case(
        "issues.opened", {"issue": ISSUE},
        key="acme/shop#8", title="Cart is empty", text="Look, @mila", url=f"{SHOP}/issues/8", state="open",
        author="author", assignees=("anna", "boris"), mentioned=("mila",), number=8, labels={"bug": "bug"}, draft=None,
    ),
    case("issues.assigned", {"issue": ISSUE, "assignee": user("anna")}, key="acme/shop#8", assignees=("anna",)),
    case("issues.assigned", {"issue": ISSUE}, assignees=("anna", "boris")),
    case("issues.unassigned", {"issue": ISSUE, "assignee": user("zoe")}, assignees=("zoe",)),
    case(
        "issues.closed", {"issue": ISSUE | {"state": "closed", "state_reason": "not_planned"}},
        state="closed", conclusion="not_planned", author="author", assignees=("anna", "boris"),
    ),
    case("issues.reopened", {"issue": ISSUE}, state="open", author="author"),
    case("issues.deleted", {"issue": ISSUE}, key="acme/shop#8", state="closed"),
    case(
        "issues.transferred", {"issue": ISSUE, "changes": {"new_issue": {"html_url": f"{SHOP}2/issues/1"}}},
        state="closed", url=f"{SHOP}2/issues/1",
    ),
    case(
        "issue_comment.created", {"issue": ISSUE, "comment": REMARK},
        key="acme/shop#8:comment:77", title="Cart is empty", text="Agreed, @mila", url=REMARK["html_url"],
        state="info", author="author", assignees=("anna", "boris"), mentioned=("mila",), number=8,
    ),
    case("issue_comment.deleted", {"issue": ISSUE, "comment": REMARK}, state="closed", mentioned=("mila",)),
    case(
        "issue_dependencies.blocked_by_added", DEPENDENCY,
        key="acme/shop#8", title="Cart is empty", text="No database", number=8, assignees=("anna", "boris"),
    ),
    case(
        "issue_dependencies.blocking_added", DEPENDENCY | {"blocked_issue_repo": {"full_name": "acme/till"}},
        key="acme/till#8",
    ),
    case("sub_issues.sub_issue_added", PARENT, key="acme/shop#8", text="A part", assignees=("anna", "boris")),
    case(
        "sub_issues.parent_issue_added", PARENT | {"parent_issue_repo": {"full_name": "acme/till"}}, key="acme/till#8"
    ),
    case(
        "discussion.created", {"discussion": DISCUSSION},
        key="acme/shop:discussion:3", title="Which database?", url=f"{SHOP}/discussions/3", state="open", number=3,
        author="author", mentioned=("mila",),
    ),
    case(
        "discussion.answered", {"discussion": DISCUSSION, "answer": REMARK | {"user": user("wise")}},
        text="Agreed, @mila", url=REMARK["html_url"], owners=("wise",), author="author", mentioned=(),
    ),
    case("discussion.unanswered", {"discussion": DISCUSSION, "old_answer": REMARK}, owners=("speaker",)),
    case("discussion.locked", {"discussion": DISCUSSION | {"state": "locked"}}, state="open"),
    case("discussion.deleted", {"discussion": DISCUSSION}, state="closed"),
    case(
        "discussion_comment.created", {"discussion": DISCUSSION, "comment": REMARK},
        key="acme/shop:discussion:3:comment:77", text="Agreed, @mila", author="author", mentioned=("mila",),
    ),
    case("milestone.created", {"milestone": MILESTONE}, key="acme/shop:milestone:2", author="author", number=2),
    case("milestone.deleted", {"milestone": MILESTONE}, state="closed"),
    case("label.created", {"label": {"id": 4, "name": "bug"}}, key="acme/shop:label:4", title="bug"),
    # ── Code
    case(
        "push",
        {
            "ref": "refs/heads/main",
            "compare": f"{SHOP}/compare/a...b",
            "forced": True,
            "head_commit": commit("kolya"),
            "commits": [
                commit("kolya", added=["a.py"], modified=["b.py"]),
                commit("lena", "Second", modified=["b.py"], removed=["c.py"]),
            ],
        },
        key="acme/shop:refs/heads/main", title="Fix the parser", text="- Fix the parser\n- Second", branch="main",
        url=f"{SHOP}/compare/a...b", conclusion="forced", paths=("a.py", "b.py", "c.py"),
        committers=("kolya", "lena"), started_at="2026-11-23T08:00:00Z", state="info",
    ),
    case(
        "push", {"ref": "refs/tags/v1", "deleted": True, "commits": [], "head_commit": None},
        key="acme/shop:refs/tags/v1", title="v1", text="", branch="", conclusion="deleted", committers=(),
    ),
    case("create", {"ref": "hot", "ref_type": "branch"}, key="acme/shop:branch:hot", title="hot", branch="hot"),
    case("delete", {"ref": "v1", "ref_type": "tag"}, key="acme/shop:tag:v1", state="closed", branch="", actor="sender"),
    case(
        "commit_comment.created", {"comment": REMARK},
        key=f"acme/shop@{SHA}:comment:77", title="6113728 src/cart.py", mentioned=("mila",), paths=("src/cart.py",),
    ),
    case(
        "release.published",
        {"release": {"id": 3, "name": None, "tag_name": "v2", "body": "By @mila", "draft": False,
                     "html_url": f"{SHOP}/releases/tag/v2", "author": user("author")}},
        key="acme/shop:release:3", title="v2", text="By @mila", author="author", mentioned=("mila",), draft=False,
    ),
    case("release.deleted", {"release": {"id": 3, "tag_name": "v2", "author": user("author")}}, state="closed"),
    case("release.unpublished", {"release": {"id": 3, "tag_name": "v2", "author": user("author")}}, state="closed"),
    case("package.published", {"package": PACKAGE}, key="acme/shop:package:55", title="cart 1.0", author="author"),
    case("registry_package.published", {"registry_package": PACKAGE}, key="acme/shop:package:55", author="author"),
    case(
        "gollum", {"pages": [{"page_name": "Home", "title": "At home", "html_url": f"{SHOP}/wiki/Home"}]},
        key="acme/shop:wiki:Home", title="At home", url=f"{SHOP}/wiki/Home",
    ),
    case("fork", {"forkee": {"full_name": "rita/shop"}}, key="acme/shop:fork", title="rita/shop", url=SHOP),
    case("star.created", {}, key="acme/shop:star", title="acme/shop"),
    case("watch.started", {}, key="acme/shop:watch", title="acme/shop"),
    # ── Runs, checks, deployments
    case(
        "workflow_run.completed", {"workflow_run": RUN},
        key="acme/shop:workflow:10:main", title="CI", text="Fix the parser", url=f"{SHOP}/actions/runs/100",
        state="firing", conclusion="failure", actor="trish", committers=("kolya",), branch="main", base_branch="main",
        number=5, started_at="2026-11-22T10:00:00Z",
    ),
    case("workflow_run.completed", {"workflow_run": RUN | {"triggering_actor": None}}, actor="ivan"),
    case(
        "workflow_run.completed",
        {"workflow_run": RUN | {"triggering_actor": None, "actor": None, "conclusion": None, "pull_requests": []}},
        actor="sender", conclusion="", state="info", number=None,
    ),
    case(
        "workflow_run.completed", {"workflow_run": RUN | {"head_repository": {"full_name": "fan/shop"}}},
        branch="fan:main", key="acme/shop:workflow:10:fan:main",
    ),
    case("workflow_run.completed", {"workflow_run": RUN | {"conclusion": "success"}},
         state="resolved", key="acme/shop:workflow:10:main"),
    case(
        "workflow_job.completed",
        {"workflow_job": {"name": "tests", "run_id": 100, "conclusion": "failure", "workflow_name": "CI",
                          "html_url": f"{SHOP}/actions/runs/100/jobs/1", "head_branch": "main"}},
        key="acme/shop:run:100:tests", title="tests", state="firing", conclusion="failure", actor="sender",
    ),
    case(
        "check_run.completed", {"check_run": CHECK},
        key=f"acme/shop@{SHA}:linter:lint", title="lint", text="In **cart**", state="firing", conclusion="timed_out",
        branch="search", base_branch="main", number=5, actor="sender",
    ),
    case("check_run.rerequested", {"check_run": CHECK}, state="info", conclusion=""),
    case("check_run.requested_action", {"check_run": CHECK}, state="info"),
    case(
        "check_suite.completed",
        {"check_suite": {"head_sha": SHA, "head_branch": "main", "conclusion": "startup_failure",
                         "app": {"slug": None, "name": "The linter"}, "head_commit": commit("kolya")}},
        key=f"acme/shop@{SHA}:The linter", title="The linter", url=f"{SHOP}/commit/{SHA}", state="firing",
        committers=("kolya",),
    ),
    case("check_suite.rerequested", {"check_suite": {"head_sha": SHA, "conclusion": "success"}}, state="info"),
    case(
        "status",
        {"sha": SHA, "context": "ci/build", "state": "error", "description": "Broken", "target_url": "https://ci/1",
         "commit": {"author": user("kolya"), "commit": {"author": {"email": "k@example.com"}}},
         "branches": [{"name": "search"}, {"name": "main"}]},
        key=f"acme/shop@{SHA}:ci/build", title="ci/build", text="Broken", url="https://ci/1", state="firing",
        conclusion="error", branch="main", committers=("kolya",),
    ),
    case(
        "status",
        {"sha": SHA, "context": "ci/build", "state": "pending", "target_url": None,
         "commit": {"author": None, "commit": {"author": {"email": "k@example.com"}}, "html_url": f"{SHOP}/commit/1"}},
        committers=("k@example.com",), url=f"{SHOP}/commit/1", state="info", branch="",
    ),
    case("deployment.created", {"deployment": DEPLOYMENT}, key="acme/shop:env:production", author="author"),
    case(
        "deployment_status.created",
        {"deployment": DEPLOYMENT, "workflow_run": RUN,
         "deployment_status": {"state": "failure", "log_url": "", "target_url": "https://shop.example/log"}},
        key="acme/shop:env:production", title="production", text="Nightly", url="https://shop.example/log",
        state="firing", conclusion="failure", branch="main", author="author", owners=("ivan",),
    ),
    case(
        "deployment_review.requested",
        {"workflow_run": RUN, "environment": "production", "requestor": None,
         "reviewers": [{"type": "User", "reviewer": user("rita")}, {"type": "Team", "reviewer": TEAM}]},
        key="acme/shop:run:100:env:production", state="open", reviewers=("rita", "acme/backend"), author="trish",
    ),
    case(
        "deployment_review.approved", {"workflow_run": RUN, "workflow_job_run": {"environment": "production"}},
        key="acme/shop:run:100:env:production", state="closed", author="trish",
    ),
    case("deployment_review.rejected", {"workflow_run": None, "requestor": user("trish")}, author="trish"),
    case(
        "deployment_protection_rule.requested",
        {"environment": "production", "event": "push", "deployment": DEPLOYMENT, "pull_requests": [PULL]},
        key="acme/shop:env:production", state="open", author="author", number=5,
    ),
    case(
        "page_build", {"build": {"status": "errored", "error": {"message": "No index"}, "pusher": user("kolya")}},
        key="acme/shop:pages", text="No index", state="firing", conclusion="errored", committers=("kolya",),
    ),
    case(
        "workflow_dispatch", {"workflow": ".github/ci.yml", "ref": "refs/heads/main", "inputs": None},
        key="acme/shop:workflow_dispatch:.github/ci.yml", branch="main", actor="sender",
    ),
    case("repository_dispatch.reindex", {"branch": "main"}, key="acme/shop:repository_dispatch:reindex", branch="main"),
    # ── Security
    case(
        "dependabot_alert.created",
        {"alert": ALERT | {"state": "open", "security_advisory": ADVISORY, "dependency": {"manifest_path": "a.txt"}}},
        key="acme/shop:dependabot:6", title="Bad glob", text="Long", state="firing", severity="medium", number=6,
        paths=("a.txt",), assignees=("anna",), owners=("olga",),
    ),
    case(
        "dependabot_alert.dismissed",
        {"alert": ALERT | {"state": "dismissed", "dismissed_reason": "not_used", "dismissed_by": user("dan")}},
        state="resolved", conclusion="not_used", owners=("dan", "olga"),
    ),
    case(
        "code_scanning_alert.created",
        {"ref": "refs/heads/main", "alert": ALERT | {
            "rule": {"description": "SQL injection", "severity": "error", "security_severity_level": "High"},
            "most_recent_instance": {"message": {"text": "Here"}, "location": {"path": "db.py"}}}},
        key="acme/shop:code-scanning:6", title="SQL injection", text="Here", state="firing", severity="high",
        branch="main", paths=("db.py",), assignees=("anna",), owners=("olga",),
    ),
    case("code_scanning_alert.fixed", {"alert": ALERT | {"rule": {"severity": "note"}}},
         state="resolved", severity="note"),
    case("code_scanning_alert.reopened", {"alert": ALERT | {"rule": {}}, "ref": None}, state="firing", branch=""),
    case(
        "secret_scanning_alert.created", {"alert": SECRET | {"push_protection_bypassed_by": user("leak")}},
        key="acme/shop:secret:6", title="API key", state="firing", severity="critical", assignees=("anna",),
        owners=("leak", "olga"),
    ),
    case("secret_scanning_alert.publicly_leaked", {"alert": ALERT}, state="firing", severity="critical"),
    case("secret_scanning_alert.assigned", {"alert": SECRET, "assignee": user("boris")}, assignees=("boris",)),
    case("secret_scanning_alert.unassigned", {"alert": ALERT, "assignee": user("zoe")}, assignees=("zoe",)),
    case("secret_scanning_alert.resolved", {"alert": ALERT | {"resolution": "revoked"}},
         state="resolved", conclusion="revoked", severity=""),
    case("secret_scanning_alert_location.created", {"alert": SECRET}, key="acme/shop:secret:6", owners=("olga",)),
    case("secret_scanning_scan.completed", {"type": "backfill", "source": "git"}, key="acme/shop:secret_scanning_scan",
         title="acme/shop", text="backfill git"),
    case(
        "repository_vulnerability_alert.create",
        {"alert": {"id": 9, "affected_package_name": "rack", "affected_range": "< 2", "severity": "moderate",
                   "external_reference": "https://nvd.example/1"}},
        key="acme/shop:vuln:9", title="rack < 2", state="firing", severity="medium", url="https://nvd.example/1",
        owners=("olga",),
    ),
    case("repository_advisory.reported", {"repository_advisory": ADVISORY},
         key="GHSA:GHSA-aaaa", state="open", severity="medium", owners=("olga",)),
    case(
        "security_advisory.published", {"security_advisory": ADVISORY, "sender": None, "repository": None},
        key="GHSA:GHSA-aaaa", title="Bad glob", url="https://github.com/advisories/GHSA-aaaa", actor="", repo="",
    ),
    case("security_advisory.withdrawn", {"security_advisory": ADVISORY}, state="resolved"),
    # ── Settings of repositories
    case("security_and_analysis", {}, key="acme/shop:settings:security_and_analysis", owners=("olga",)),
    case("public", {}, key="acme/shop:settings:public", title="acme/shop", owners=("olga",)),
    case("repository.archived", {}, key="acme/shop:settings:repository", text="Things for sale", owners=("olga",)),
    case(
        "repository.deleted", {"repository": REPOSITORY | {"owner": user("acme", "Organization")}},
        key="acme/shop:settings:repository", owners=(),
    ),
    case("repository_import", {"status": "failure"}, key="acme/shop:settings:repository_import", state="firing"),
    case("custom_property_values.updated", {"new_property_values": [{"property_name": "tier", "value": "1"}]},
         key="acme/shop:settings:custom_property_values", text="- tier"),
    case("branch_protection_configuration.disabled", {}, key="acme/shop:settings:branch_protection_configuration"),
    case("branch_protection_rule.edited", {"rule": {"id": 21, "name": "main"}},
         key="acme/shop:settings:branch_protection_rule:21", title="main", branch="main"),
    case(
        "repository_ruleset.created",
        {"repository_ruleset": {"id": 22, "name": "strict", "_links": {"html": {"href": f"{SHOP}/rules/22"}}}},
        key="acme/shop:settings:repository_ruleset:22", title="strict", url=f"{SHOP}/rules/22",
    ),
    case("deploy_key.created", {"key": {"id": 23, "title": "ci"}}, key="acme/shop:settings:deploy_key:23", title="ci"),
    case("member.added", {"member": user("newbie") | {"id": 24}},
         key="acme/shop:settings:member:24", title="newbie", owners=("newbie", "olga")),
    case("ping", {"hook_id": 31, "zen": "Keep it simple."}, key="hook:31", title="Keep it simple."),
    case("meta.deleted", {"hook_id": 31, "hook": {"name": "web"}}, key="hook:31", title="web", state="closed"),
    # ── Organizations, teams, applications
    case(
        "organization.member_invited", {"invitation": {"login": "newbie"}, "user": user("newbie")},
        key="org:acme:member:newbie", title="newbie", owners=("newbie",),
    ),
    case("organization.member_added", {"membership": {"user": user("newbie")}},
         key="org:acme:member:newbie", owners=("newbie",)),
    case("organization.member_invited", {"invitation": {"login": None, "email": "new@example.com"}, "user": None},
         owners=("new@example.com",)),
    case("organization.renamed", {"repository": None}, key="org:acme", title="acme"),
    case("organization.deleted", {"repository": None}, key="org:acme", state="closed"),
    case("membership.added", {"member": user("newbie"), "team": TEAM},
         key="org:team:7", title="newbie (Back end)", owners=("newbie",), assignees=("acme/backend",)),
    case("team.added_to_repository", {"team": TEAM}, key="org:team:7", title="Back end", assignees=("acme/backend",)),
    case("team_add", {"team": TEAM}, key="org:team:7", assignees=("acme/backend",)),
    case("org_block.blocked", {"blocked_user": user("troll")}, key="org:block:troll", title="troll"),
    case("personal_access_token_request.created", {"personal_access_token_request": REQUEST_FOR_TOKEN},
         key="org:pat:12", title="deploy", state="open", owners=("tom",)),
    case("personal_access_token_request.denied", {"personal_access_token_request": REQUEST_FOR_TOKEN}, state="closed"),
    case(
        "installation.created",
        {"installation": {"id": 41, "app_slug": "ci-app", "account": user("acme", "Organization"), "created_at": 1},
         "requester": user("tom"), "repositories": [{"full_name": "acme/shop"}, {"full_name": "acme/till"}]},
        key="installation:41", title="ci-app", text="- acme/shop\n- acme/till", owners=("tom",),
    ),
    case("installation.deleted", {"installation": {"id": 41, "account": user("tom")}}, state="closed"),
    case(
        "installation_repositories.removed",
        {"installation": {"id": 41, "account": user("tom")}, "repositories_added": [],
         "repositories_removed": [{"full_name": "acme/till"}]},
        key="installation:41", text="- acme/till", owners=("tom",),
    ),
    case("installation_target.renamed", {"installation": {"id": 41, "account": user("tom")}, "account": user("acme2")},
         title="acme2"),
    case("github_app_authorization.revoked", {"repository": None}, key="authorization:sender", actor="sender"),
    case("custom_property.created", {"definition": {"property_name": "tier"}}, key="org:property:tier", title="tier"),
    # ── Planning and money
    case("projects_v2.closed", {"projects_v2": {"node_id": "P1", "title": "Plan", "state": "closed", "number": 2,
                                                "creator": user("author")}},
         key="project:P1", title="Plan", state="closed", author="author", number=2),
    case("projects_v2_item.created", {"projects_v2_item": {"node_id": "I1", "content_type": "Issue",
                                                           "creator": user("author")}},
         key="project:I1", title="Issue", author="author"),
    case("projects_v2_status_update.created",
         {"projects_v2_status_update": {"project_node_id": "P1", "status": "AT_RISK", "body": "Late",
                                        "creator": user("author")}},
         key="project:P1:status", title="AT_RISK", text="Late", conclusion="AT_RISK", author="author"),
    case("project.created", {"project": {"id": 51, "name": "Plan", "state": "open", "creator": user("author")}},
         key="project:51", title="Plan", state="open", author="author"),
    case("project_column.created", {"project_column": {"id": 52, "name": "To do"}},
         key="project:column:52", title="To do"),
    case("project_card.created", {"project_card": {"id": 53, "note": None, "creator": user("author")}},
         key="project:card:53", title="project_card", author="author"),
    case("sponsorship.created", {"sponsorship": {"node_id": "S1", "sponsor": user("fan"), "tier": {"name": "$5"},
                                                 "sponsorable": user("olga")}},
         key="sponsorship:S1", title="fan ($5)", owners=("olga",)),
    case("marketplace_purchase.purchased",
         {"marketplace_purchase": {"account": {"id": 61, "login": "acme"}, "plan": {"name": "Basic"}}},
         key="marketplace:61", title="acme (Basic)"),
]  # fmt: skip

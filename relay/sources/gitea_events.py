"""The events of Gitea, Forgejo and Gogs, a row each: what one is about, what to call it, and whom it concerns.

Only a table, and it reads no payload. `github_row` says what the columns mean, `github_columns` how they are written,
`rows` and `gitea_understand` which names in capitals there are. A row ``"event.action"`` refines the row ``"event"``.

Events and actions are theirs, as in X-Gitea-Event and the body's ``action``. Two differ: a review is always
``pull_request_review`` as on GitHub (theirs are pull_request_approved, _rejected and _comment), and a finished run of
Forgejo's is always ``action_run`` (theirs are action_run_failure, _success and _recover).

Source: Gitea, modules/structs/hook.go and services/webhook/notifier.go; Forgejo, modules/structs/action.go.
"""

from __future__ import annotations

from collections.abc import Mapping

from relay.model import State
from relay.sources.github_row import CI, COMMENT, WORK, Row
from relay.sources.rows import EMPTY

# fmt: off
# What the action of a finished run of Forgejo's means.
RUN: Mapping[str, State] = {
    "failure": "firing", "success": "resolved", "recovered": "resolved", "recover": "resolved",
}

# Reviews by their type, and runs, in the words that all senders share.
CONCLUSIONS = {
    **dict.fromkeys(("approved", "pull_request_review_approved"), "approved"),
    **dict.fromkeys(("rejected", "pull_request_review_rejected"), "changes_requested"),
    **dict.fromkeys(("comment", "pull_request_review_comment"), "commented"),
    **dict.fromkeys(("recovered", "recover"), "success"),
}

ANY = EMPTY | Row(
    key="{R}:{EVENT}",
    url="{repository.html_url|repository.homepage}",
    actor="sender",
)
PULL_REQUEST = Row(
    key="{R}#{N}",
    title="{pull_request.title}",
    url="{pull_request.html_url} {repository.html_url}/pulls/{N}",
    number="NUMBER",
    branch="pull_request.head.ref|pull_request.head_branch", head="pull_request.head.repo.full_name",
    base="pull_request.base.ref|pull_request.base_branch",
    labels="pull_request.labels[].name",
    draft="pull_request.draft",
    started_at="{pull_request.created_at}",
    author="pull_request.user",
    assignees="pull_request.assignees[]|pull_request.assignee",
    reviewers="pull_request.requested_reviewers[] pull_request.requested_reviewers_teams[]",
)
ISSUE = Row(
    key="{R}#{N}",
    title="{issue.title}",
    url="{issue.html_url} {repository.html_url}/issues/{N}",
    number="NUMBER",
    labels="issue.labels[].name",
    started_at="{issue.created_at}",
    author="issue.user",
    assignees="issue.assignees[]|issue.assignee",
)

ROWS: Mapping[str, Row] = {
    "pull_request": PULL_REQUEST | Row(
        concerns="author assignee",
        text="{pull_request.body}",
        state=(WORK, "{pull_request.state}"),
        conclusion="{pull_request.merged}",  # a true flag stands as its own name
        mentions="{pull_request.body}",
    ),
    "pull_request.opened": Row(concerns="reviewer assignee mentioned"),
    "pull_request.synchronized": Row(concerns="reviewer"),
    "pull_request.closed": Row(concerns="author assignee owner", owners="pull_request.merged_by"),
    # Whom an assignment added or removed they do not say: only who is assigned now.
    "pull_request.assigned": Row(concerns="assignee"),
    "pull_request.review_requested": Row(
        concerns="reviewer", key="{R}#{N}:review-request", state="open", reviewers="requested_reviewer"
    ),
    "pull_request.review_request_removed": Row(
        concerns="reviewer", key="{R}#{N}:review-request", state="closed", reviewers="requested_reviewer"
    ),
    "pull_request_review": PULL_REQUEST | Row(
        concerns="author assignee mentioned",
        key="{R}#{N}:review:{sender.login|sender.username}",
        text="{review.content}",
        state="info",
        conclusion="{review.type}",
        reviewers="sender",
        mentions="{review.content}",
    ),
    "issues": ISSUE | Row(
        concerns="author assignee",
        text="{issue.body}",
        state=(WORK, "{issue.state}"),
        mentions="{issue.body}",
    ),
    "issues.opened": Row(concerns="assignee mentioned"),
    "issues.assigned": Row(concerns="assignee"),
    "issues.deleted": Row(state="closed"),
    "issue_comment": ISSUE | Row(  # of pull requests too: is_pull
        concerns="mentioned assignee author",
        key="{R}#{N}:comment:{comment.id}",
        text="{comment.body}",
        url="{comment.html_url} {issue.html_url}",
        state=(COMMENT, "{ACTION}"),
        started_at="{comment.created_at}",
        mentions="{comment.body}",
    ),
    "push": Row(
        concerns="committer",
        key="{R}:{ref}",
        title="{HEAD.message|REF_NAME}",
        text="- {commits[].message}",
        url="{compare_url} {repository.html_url}",
        branch="ref",
        paths="commits[].added[] commits[].modified[] commits[].removed[]",
        started_at="{HEAD.timestamp}",
        actor="pusher|sender",
        committers="commits[].author",
    ),
    "create": Row(concerns="actor", key="{R}:{ref_type}:{ref}", title="{ref}", branch="REF"),
    "delete": Row(concerns="actor", key="{R}:{ref_type}:{ref}", title="{ref}", state="closed", branch="REF"),
    "release": Row(
        concerns="author",
        key="{R}:release:{release.id}",
        title="{release.name|release.tag_name}", text="{release.body}",
        url="{release.html_url} {repository.html_url}/releases",
        branch="release.target_commitish",
        draft="release.draft",
        started_at="{release.published_at|release.created_at}",
        author="release.author",
        mentions="{release.body}",
    ),
    "release.published": Row(concerns="author mentioned"),
    "release.deleted": Row(state="closed"),
    "wiki": Row(
        key="{R}:wiki:{page}", title="{page}", text="{comment}", url="{repository.html_url}/wiki",
        state=(COMMENT, "{ACTION}"),
    ),
    "repository": Row(concerns="actor", key="{R}:repository", title="{R}"),
    "repository.deleted": Row(state="closed"),
    "fork": Row(title="{forkee.full_name|R}", url="{forkee.html_url|repository.html_url}"),
    "package": Row(
        concerns="author",
        key="{R}:package:{package.name}:{package.version}",
        title="{package.name} {package.version}", url="{package.html_url}",
        author="package.creator",
    ),
    "status": Row(
        concerns="committer",
        key="{R}@{sha}:{context}",
        title="{context}", text="{description|commit.message}",
        url="{target_url} {commit.url} {repository.html_url}",
        state=(CI, "{state}"), conclusion="{state}",
        started_at="{created_at}",
        committers="commit.author",
    ),
    "workflow_run": Row(
        concerns="actor",
        key="{R}:workflow:{workflow.id|workflow_run.path}:{BRANCH}",  # a later success replaces the failure
        title="{workflow.name|workflow_run.path|workflow_run.id}", text="{workflow_run.display_title}",
        url="{workflow_run.html_url} {repository.html_url}/actions",
        state=(CI, "{workflow_run.conclusion}"), conclusion="{workflow_run.conclusion}",
        branch="workflow_run.head_branch",
        started_at="{workflow_run.started_at}",
        actor="workflow_run.trigger_actor|workflow_run.actor|sender",
    ),
    "workflow_job": Row(
        concerns="actor",
        key="{R}:run:{workflow_job.run_id}:{workflow_job.name}",
        title="{workflow_job.name}", url="{workflow_job.html_url}",
        state=(CI, "{workflow_job.conclusion}"), conclusion="{workflow_job.conclusion}",
        branch="workflow_job.head_branch",
        started_at="{workflow_job.started_at}",
    ),
    "action_run": Row(
        concerns="actor",
        key="{R}:workflow:{run.workflow_id}:{run.prettyref}",
        title="{run.workflow_id}", text="{run.title}", url="{run.html_url}",
        state=(RUN, "{ACTION}"), conclusion="{ACTION}",
        branch="run.prettyref",
        started_at="{run.started}",
        actor="run.trigger_user|sender",
    ),
}
# fmt: on


def row(event: str, action: str) -> Row:
    """The row for an event, whether or not the table knows it."""
    return ANY | ROWS.get(event, Row()) | ROWS.get(f"{event}.{action}", Row())

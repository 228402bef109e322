"""GitLab's events, a row each: what one is about, what to call it, and whom it concerns.

Only a table, and it reads no payload. `github_row` says what the columns mean, `github_columns` how they are written,
`rows` and `gitlab_understand` which names in capitals there are. A row ``"event.action"`` refines the row ``"event"``.

The event is GitLab's ``object_kind`` (or ``event_name``), the action its own, with one exception: for ``update``, which
says nothing, GitHub's words stand: review_requested, assigned, ready_for_review, synchronize, labeled, edited and so
on.

Source: GitLab docs, «Webhook events».
"""

from __future__ import annotations

from collections.abc import Mapping

from relay.model import State
from relay.sources.github_row import Row
from relay.sources.rows import EMPTY

# fmt: off
# ── Words to states ───────────────────────────────────────────────────────────────────────────────────────────

WORK: Mapping[str, State] = {
    "opened": "open", "reopened": "open", "locked": "open", "active": "open", "closed": "closed", "merged": "closed",
}

# Statuses of pipelines, jobs and deployments. «canceled», «skipped», «manual» and all that goes on say neither that
# it is broken nor that it works.
CI: Mapping[str, State] = {"failed": "firing", "success": "resolved"}

VULNERABILITY: Mapping[str, State] = {
    "detected": "firing", "confirmed": "firing", "resolved": "resolved", "dismissed": "resolved",
}

GONE: Mapping[str, State] = {"delete": "closed", "revoke": "closed"}

# How it ended, in the words that all senders share.
CONCLUSIONS = {"failed": "failure", "canceled": "cancelled", "manual": "action_required", "merge": "merged"}

# Statuses of what has not ended.
GOING_ON = frozenset({
    "created", "waiting_for_resource", "waiting_for_callback", "preparing", "pending", "running", "scheduled",
    "canceling", "blocked",
})

# ── Rows ──────────────────────────────────────────────────────────────────────────────────────────────────────

ANY = EMPTY | Row(
    key="{R}:{EVENT}:{object_attributes.id|id}",
    title="{object_attributes.title|object_attributes.name|name}",
    url="{object_attributes.url} {url} {project.web_url|project.homepage}",
    actor="user|PUSHER",
)
MERGE_REQUEST = Row(
    key="{R}!{N}",
    title="{object_attributes.title}",
    number="object_attributes.iid",
    branch="object_attributes.source_branch", head="object_attributes.source.path_with_namespace",
    base="object_attributes.target_branch",
    labels="labels[].title",
    draft="object_attributes.draft|object_attributes.work_in_progress",
    started_at="{object_attributes.created_at}",
    author="AUTHOR",
    assignees="assignees[]",
    reviewers="reviewers[]",
)
ISSUE = Row(
    concerns="author assignee",
    key="{R}#{N}",
    title="{object_attributes.title}",
    text="{object_attributes.description}",
    state=(WORK, "{object_attributes.state}"),
    severity="{object_attributes.severity}",
    number="object_attributes.iid",
    labels="labels[].title",
    started_at="{object_attributes.created_at}",
    author="AUTHOR",
    assignees="assignees[]",
    mentions="{object_attributes.description}",
)
PUSH = Row(
    concerns="committer",
    key="{R}:{ref}",
    title="{HEAD.title|HEAD.message|REF_NAME}",
    text="- {commits[].message}",
    url="{project.web_url}/-/compare/{COMPARE} {project.web_url}/-/tree/{TREE} {project.web_url|project.homepage}",
    conclusion="{MADE}",  # what happened to the ref itself
    branch="ref",
    paths="commits[].added[] commits[].modified[] commits[].removed[]",
    started_at="{HEAD.timestamp}",
    committers="commits[].author",
)
MEMBER = Row(
    key="{R}:member:{user_id}", title="{user_username|user_name}", text="{group_access|project_access}", url=""
)
BUILD = Row(
    concerns="actor committer",
    title="{build_name}", text="{build_stage}",
    url="{project.web_url|repository.homepage}/-/jobs/{build_id}",
    key="{R}:job:{build_name}:{ref}",  # a later success replaces the failure
    state=(CI, "{build_status}{build_allow_failure}"),  # a flag that is true stands as its own name: no CI word then
    conclusion="{ENDED}",
    branch="ref",
    started_at="{build_started_at_iso|build_started_at|build_created_at}",
    committers="commit.author_email",
)

ROWS: Mapping[str, Row] = {
    "push": PUSH,
    "tag_push": PUSH,
    "merge_request": MERGE_REQUEST | Row(
        concerns="author assignee",
        text="{object_attributes.description}",
        state=(WORK, "{object_attributes.state}"),
        mentions="{object_attributes.description}",
    ),
    "merge_request.open": Row(concerns="reviewer assignee mentioned"),
    "merge_request.ready_for_review": Row(concerns="reviewer assignee"),
    "merge_request.synchronize": Row(concerns="reviewer"),
    "merge_request.merge": Row(conclusion="{ACTION}"),
    "merge_request.approval": Row(concerns="author", key="{R}!{N}:review:{user.username}", conclusion="approved"),
    "merge_request.approved": Row(concerns="author", key="{R}!{N}:review:{user.username}", conclusion="approved"),
    "merge_request.unapproval": Row(concerns="author", key="{R}!{N}:review:{user.username}", conclusion="dismissed"),
    "merge_request.unapproved": Row(concerns="author", key="{R}!{N}:review:{user.username}", conclusion="dismissed"),
    "merge_request.review_requested": Row(
        concerns="reviewer", key="{R}!{N}:review-request", state="open", reviewers="CHANGED[]"
    ),
    "merge_request.review_request_removed": Row(
        concerns="reviewer", key="{R}!{N}:review-request", state="closed", reviewers="CHANGED[]"
    ),
    "merge_request.assigned": Row(concerns="assignee", assignees="CHANGED[]"),
    "merge_request.unassigned": Row(concerns="assignee", assignees="CHANGED[]"),
    "issue": ISSUE,
    "issue.open": Row(concerns="assignee mentioned"),
    "issue.assigned": Row(concerns="assignee", assignees="CHANGED[]"),
    "issue.unassigned": Row(concerns="assignee", assignees="CHANGED[]"),
    "work_item": ISSUE,  # epics, tasks, incidents, objectives: object_attributes.type
    "work_item.assigned": Row(concerns="assignee", assignees="CHANGED[]"),
    "work_item.unassigned": Row(concerns="assignee", assignees="CHANGED[]"),
    "note": Row(
        concerns="mentioned assignee author",
        key="{R}:note:{object_attributes.id}",
        title="{merge_request.title|issue.title|snippet.title|commit.title|commit.message}",
        text="{object_attributes.note}",
        state=(GONE, "{ACTION}"),
        number="NOTED",
        branch="merge_request.source_branch", base="merge_request.target_branch",
        labels="merge_request.labels[].title issue.labels[].title",
        draft="merge_request.draft|merge_request.work_in_progress",
        started_at="{object_attributes.created_at}",
        author="AUTHOR",
        assignees="merge_request.assignee",
        committers="commit.author",
        mentions="{object_attributes.note}",
    ),
    "pipeline": Row(
        concerns="actor committer",
        key="{R}:pipeline:{object_attributes.ref}",  # a later success replaces the failure
        title="{object_attributes.name|commit.title|commit.message}",
        text="{FAILED}",
        url="{object_attributes.url} {project.web_url}/-/pipelines/{object_attributes.id}",
        state=(CI, "{object_attributes.status}"),
        conclusion="{ENDED}",
        number="merge_request.iid",
        branch="object_attributes.ref", base="merge_request.target_branch",
        started_at="{object_attributes.created_at}",
        committers="commit.author",
    ),
    "build": BUILD,  # what GitLab's pages call a job
    "deployment": Row(
        concerns="actor",
        key="{R}:env:{environment}",
        title="{environment}", text="{commit_title}",
        url="{deployable_url} {environment_external_url} {commit_url} {project.web_url}",
        state=(CI, "{status}"),
        conclusion="{ENDED}",
        branch="ref",
        started_at="{status_changed_at}",
    ),
    "release": Row(
        concerns="committer",
        key="{R}:release:{tag}",
        title="{name|tag}", text="{description}",
        state=(GONE, "{ACTION}"),
        started_at="{released_at|created_at}",
        committers="commit.author",
        mentions="{description}",
    ),
    "wiki_page": Row(
        key="{R}:wiki:{object_attributes.slug}", text="{object_attributes.message}", state=(GONE, "{ACTION}")
    ),
    "feature_flag": Row(concerns="actor", text="{object_attributes.description}"),
    "milestone": Row(
        key="{R}:milestone:{N}",
        text="{object_attributes.description}",
        url="{project.web_url}/-/milestones/{object_attributes.iid} {project.web_url}",
        state=(WORK, "{object_attributes.state}"),
        number="object_attributes.iid",
        started_at="{object_attributes.created_at}",
    ),
    "emoji": Row(
        title="{object_attributes.name}",
        url="{object_attributes.awarded_on_url} {project.web_url}",
        state=(GONE, "{ACTION}"),
    ),
    "access_token": Row(state="open", text="{object_attributes.expires_at}"),
    "vulnerability": Row(
        key="{R}:vulnerability:{object_attributes.url|object_attributes.title}",
        state=(VULNERABILITY, "{object_attributes.state}"),
        severity="{object_attributes.severity}",
        paths="object_attributes.location.file",
        started_at="{object_attributes.created_at}",
    ),
    # A group's members: the person is whom it concerns, and GitLab does not say who did it.
    "user_add_to_group": MEMBER | Row(concerns="assignee", actor="", assignees="PUSHER"),
    "user_update_for_group": MEMBER | Row(concerns="assignee", actor="", assignees="PUSHER"),
    "user_remove_from_group": MEMBER | Row(concerns="assignee", actor="", assignees="PUSHER", state="closed"),
    "user_access_request_to_group": MEMBER | Row(concerns="actor", actor="PUSHER", state="open"),
    "user_access_request_denied_for_group": MEMBER | Row(
        concerns="assignee", actor="", assignees="PUSHER", state="closed"
    ),
    "project_create": Row(concerns="owner", key="{R}:project", title="{R}", actor="", owners="owners[]"),
    "project_destroy": Row(
        concerns="owner", key="{R}:project", title="{R}", actor="", owners="owners[]", state="closed"
    ),
    "subgroup_create": Row(key="{R}:group", title="{R}", actor=""),
    "subgroup_destroy": Row(key="{R}:group", title="{R}", actor="", state="closed"),
}
# fmt: on


def row(event: str, action: str) -> Row:
    """The row for an event, whether or not the table knows it."""
    return ANY | ROWS.get(event, Row()) | ROWS.get(f"{event}.{action}", Row())

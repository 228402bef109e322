"""GitHub's events around code, a row each: what one is about, what to call it, and whom it concerns.

Only a table, and it reads no payload. To teach the relay an event, add one line: `github_row` says what the columns
mean, `github_columns` how they are written. A row ``"event.action"`` refines the row ``"event"``. A row that concerns
nobody is for lists of people in the rules (watchers, admins): GitHub does not say who they are.

Source: GitHub docs, «Webhook events and payloads», and the OpenAPI description of GitHub's webhooks.
"""

from __future__ import annotations

from collections.abc import Mapping

from relay.sources.github_admin_events import PEOPLE, PLANNING, SECURITY, SETTINGS
from relay.sources.github_row import ANY, ASKED, CI, COMMENT, WORK, Row

# fmt: off
# ── Pull requests ─────────────────────────────────────────────────────────────────────────────────────────────

PULL_REQUEST = Row(
    key="{R}#{N}",
    title="{pull_request.title}",
    url="{pull_request.html_url}",
    number="pull_request.number",
    branch="pull_request.head.ref", head="pull_request.head.repo", base="pull_request.base.ref",
    labels="pull_request.labels[].name",
    draft="pull_request.draft",
    started_at="{pull_request.created_at}",
    author="pull_request.user",
    assignees="pull_request.assignees[]",
    reviewers="pull_request.requested_reviewers[] pull_request.requested_teams[]",
)
QUEUE = Row(concerns="author", key="{R}#{N}:queue", state=(ASKED, "{ACTION}"), conclusion="{reason}")
THREAD = PULL_REQUEST | Row(key="{R}#{N}:thread:{comment.in_reply_to_id|comment.id|thread.comments.0.id}")

PULL_REQUESTS = {
    "pull_request": PULL_REQUEST | Row(
        concerns="author assignee",
        text="{pull_request.body}",
        state=(WORK, "{pull_request.state}"),
        conclusion="{pull_request.merged}",  # a true flag stands as its own name
        mentions="{pull_request.body}",
    ),
    "pull_request.opened": Row(concerns="reviewer assignee mentioned"),
    "pull_request.ready_for_review": Row(concerns="reviewer assignee mentioned"),
    "pull_request.synchronize": Row(concerns="reviewer"),
    "pull_request.closed": Row(concerns="author assignee owner", owners="pull_request.merged_by"),
    "pull_request.assigned": Row(concerns="assignee", assignees="assignee|pull_request.assignees[]"),
    "pull_request.unassigned": Row(concerns="assignee", assignees="assignee"),
    "pull_request.review_requested": Row(
        concerns="reviewer", key="{R}#{N}:review-request", state="open", reviewers="requested_reviewer requested_team"
    ),
    "pull_request.review_request_removed": Row(
        concerns="reviewer", key="{R}#{N}:review-request", state="closed", reviewers="requested_reviewer requested_team"
    ),
    "pull_request.auto_merge_enabled": QUEUE,
    "pull_request.auto_merge_disabled": QUEUE,
    "pull_request.enqueued": QUEUE,
    "pull_request.dequeued": QUEUE,
    "pull_request_review": PULL_REQUEST | Row(
        concerns="author assignee mentioned",
        key="{R}#{N}:review:{review.user.login}",
        text="{review.body}",
        url="{review.html_url} {pull_request.html_url}",
        conclusion="{review.state}",
        started_at="{review.submitted_at}",
        reviewers="review.user",
        mentions="{review.body}",
    ),
    "pull_request_review.dismissed": Row(concerns="reviewer"),
    "pull_request_review_comment": THREAD | Row(
        concerns="author mentioned",
        text="{comment.body}",
        url="{comment.html_url} {pull_request.html_url}",
        state=(COMMENT, "{ACTION}"),
        paths="comment.path",
        started_at="{comment.created_at}",
        mentions="{comment.body}",
    ),
    "pull_request_review_thread": THREAD | Row(
        concerns="owner",
        url="{thread.comments.0.html_url} {pull_request.html_url}",
        paths="thread.comments[].path",
        owners="thread.comments[].user",  # those who spoke in it
    ),
    "merge_group": Row(
        concerns="committer",
        key="{R}:mq:{merge_group.head_ref}",
        title="{merge_group.head_commit.message}",
        state=(ASKED, "{ACTION}"),
        conclusion="{reason}",
        number="merge_group.head_ref",  # refs/heads/gh-readonly-queue/main/pr-104-<sha>
        branch="merge_group.head_ref", base="merge_group.base_ref",
        started_at="{merge_group.head_commit.timestamp}",
        committers="merge_group.head_commit.author",
    ),
}

# ── Issues and discussions ────────────────────────────────────────────────────────────────────────────────────

ISSUE = Row(
    key="{R}#{N}",
    title="{issue.title}",
    url="{issue.html_url}",
    number="issue.number",
    labels="issue.labels[].name",
    draft="issue.draft",
    started_at="{issue.created_at}",
    author="issue.user",
    assignees="issue.assignees[]",
)
DISCUSSION = Row(
    key="{R}:discussion:{N}",
    title="{discussion.title}",
    url="{discussion.html_url}",
    number="discussion.number",
    labels="discussion.labels[].name",
    started_at="{discussion.created_at}",
    author="discussion.user",
)

ISSUES = {
    "issues": ISSUE | Row(
        concerns="author assignee",
        text="{issue.body}",
        state=(WORK, "{issue.state}"),
        conclusion="{issue.state_reason}",
        mentions="{issue.body}",
    ),
    "issues.opened": Row(concerns="assignee mentioned"),
    "issues.assigned": Row(concerns="assignee", assignees="assignee|issue.assignees[]"),
    "issues.unassigned": Row(concerns="assignee", assignees="assignee"),
    "issues.deleted": Row(state="closed"),
    "issues.transferred": Row(state="closed", url="{changes.new_issue.html_url} {issue.html_url}"),
    "issue_comment": ISSUE | Row(
        concerns="mentioned assignee author",
        key="{R}#{N}:comment:{comment.id}",
        text="{comment.body}",
        url="{comment.html_url} {issue.html_url}",
        state=(COMMENT, "{ACTION}"),
        started_at="{comment.created_at}",
        mentions="{comment.body}",
    ),
    "issue_dependencies": Row(  # about the issue that has to wait
        concerns="assignee",
        key="{blocked_issue_repo.full_name|R}#{N}",
        title="{blocked_issue.title}",
        text="{blocking_issue.title}",
        url="{blocked_issue.html_url}",
        state=(WORK, "{blocked_issue.state}"),
        number="blocked_issue.number",
        labels="blocked_issue.labels[].name",
        started_at="{blocked_issue.created_at}",
        author="blocked_issue.user", assignees="blocked_issue.assignees[]",
    ),
    "sub_issues": Row(  # about the issue above
        concerns="assignee",
        key="{parent_issue_repo.full_name|R}#{N}",
        title="{parent_issue.title}",
        text="{sub_issue.title}",
        url="{parent_issue.html_url}",
        state=(WORK, "{parent_issue.state}"),
        number="parent_issue.number",
        labels="parent_issue.labels[].name",
        started_at="{parent_issue.created_at}",
        author="parent_issue.user", assignees="parent_issue.assignees[]",
    ),
    "discussion": DISCUSSION | Row(
        concerns="mentioned author",
        text="{discussion.body}",
        state=(WORK, "{discussion.state}"),
        conclusion="{discussion.state_reason}",
        mentions="{discussion.body}",
    ),
    "discussion.deleted": Row(state="closed"),
    "discussion.answered": Row(
        concerns="owner author",
        text="{answer.body}", url="{answer.html_url} {discussion.html_url}",
        owners="answer.user",  # whose answer was chosen
    ),
    "discussion.unanswered": Row(concerns="owner author", owners="old_answer.user"),
    "discussion_comment": DISCUSSION | Row(
        concerns="mentioned author",
        key="{R}:discussion:{N}:comment:{comment.id}",
        text="{comment.body}",
        url="{comment.html_url} {discussion.html_url}",
        state=(COMMENT, "{ACTION}"),
        started_at="{comment.created_at}",
        mentions="{comment.body}",
    ),
    "milestone": Row(
        concerns="author",
        key="{R}:milestone:{N}",
        title="{milestone.title}", text="{milestone.description}", url="{milestone.html_url}",
        state=(WORK, "{milestone.state}"),
        number="milestone.number",
        started_at="{milestone.created_at}",
        author="milestone.creator",
    ),
    "milestone.deleted": Row(state="closed"),
    "label": Row(key="{R}:label:{label.id}", title="{label.name}", text="{label.description}"),
}

# ── Code ──────────────────────────────────────────────────────────────────────────────────────────────────────

CODE = {
    "push": Row(
        concerns="committer",
        key="{R}:{REF}",
        title="{head_commit.message|REF_NAME}",
        text="- {commits[].message}",
        url="{compare}",
        conclusion="{deleted|created|forced}",  # what happened to the ref itself
        branch="REF",
        paths="commits[].added[] commits[].modified[] commits[].removed[]",
        started_at="{head_commit.timestamp}",
        committers="commits[].author",
    ),
    "create": Row(concerns="actor", key="{R}:{ref_type}:{ref}", title="{ref}", branch="REF"),
    "delete": Row(concerns="actor", key="{R}:{ref_type}:{ref}", title="{ref}", state="closed", branch="REF"),
    "commit_comment": Row(
        concerns="mentioned",
        key="{R}@{comment.commit_id}:comment:{comment.id}",
        title="{comment.commit_id:.7} {comment.path}",
        text="{comment.body}",
        url="{comment.html_url}",
        state=(COMMENT, "{ACTION}"),
        paths="comment.path",
        started_at="{comment.created_at}",
        mentions="{comment.body}",
    ),
    "release": Row(
        concerns="author",
        key="{R}:release:{release.id}",
        title="{release.name|release.tag_name}", text="{release.body}", url="{release.html_url}",
        branch="release.target_commitish",
        draft="release.draft",
        started_at="{release.published_at|release.created_at}",
        author="release.author",
        mentions="{release.body}",
    ),
    "release.published": Row(concerns="author mentioned"),
    "release.deleted": Row(state="closed"),
    "release.unpublished": Row(state="closed"),
    "package": Row(
        concerns="author",
        key="{R}:package:{package.id}",
        title="{package.name} {package.package_version.container_metadata.tag.name|package.package_version.version}",
        text="{package.package_version.summary}",
        url="{package.package_version.html_url} {package.html_url}",
        author="package.package_version.author",
    ),
    "registry_package": Row(
        concerns="author",
        key="{R}:package:{registry_package.id}",
        title="{registry_package.name} {registry_package.package_version.version}",
        text="{registry_package.package_version.summary}",
        url="{registry_package.package_version.html_url} {registry_package.html_url}",
        author="registry_package.package_version.author",
    ),
    "gollum": Row(
        key="{R}:wiki:{pages[].page_name}",
        title="{pages[].title}", text="{pages[].summary}",
        url="{pages.0.html_url}",
    ),
    "fork": Row(title="{forkee.full_name}", url="{forkee.html_url}"),
    "star": Row(title="{R}"),
    "watch": Row(title="{R}"),
}

# ── Runs, checks, deployments ─────────────────────────────────────────────────────────────────────────────────

RUNS = {
    "workflow_run": Row(
        concerns="actor committer",
        key="{R}:workflow:{workflow_run.workflow_id}:{BRANCH}",  # a later success replaces the failure
        title="{workflow_run.name|workflow.name|workflow_run.path|workflow_run.id}",
        text="{workflow_run.display_title|workflow_run.head_commit.message}",
        url="{workflow_run.html_url}",
        state=(CI, "{workflow_run.conclusion}"), conclusion="{workflow_run.conclusion}",
        number="workflow_run.pull_requests.0.number",
        branch="workflow_run.head_branch", head="workflow_run.head_repository",
        base="workflow_run.pull_requests.0.base.ref",
        started_at="{workflow_run.run_started_at|workflow_run.created_at}",
        actor="workflow_run.triggering_actor|workflow_run.actor|sender",
        committers="workflow_run.head_commit.author",
    ),
    "workflow_job": Row(
        concerns="actor",
        key="{R}:run:{workflow_job.run_id}:{workflow_job.name}",
        title="{workflow_job.name}", text="{workflow_job.workflow_name}", url="{workflow_job.html_url}",
        state=(CI, "{workflow_job.conclusion}"), conclusion="{workflow_job.conclusion}",
        branch="workflow_job.head_branch",
        started_at="{workflow_job.started_at}",
    ),
    "check_run": Row(
        concerns="actor",
        key="{R}@{check_run.head_sha}:{check_run.app.slug|check_run.app.name}:{check_run.name}",
        title="{check_run.name}", text="{check_run.output.summary|check_run.output.title}",
        url="{check_run.html_url} {check_run.details_url}",
        state=(CI, "{check_run.conclusion}"), conclusion="{check_run.conclusion}",
        number="check_run.pull_requests.0.number",
        branch="check_run.check_suite.head_branch", base="check_run.pull_requests.0.base.ref",
        started_at="{check_run.started_at}",
    ),
    # Asked for something: the conclusion that GitHub repeats is the former run's.
    "check_run.requested_action": Row(state="info", conclusion=""),
    "check_run.rerequested": Row(concerns="", state="info", conclusion=""),
    "check_suite": Row(
        concerns="committer",
        key="{R}@{check_suite.head_sha}:{check_suite.app.slug|check_suite.app.name}",
        title="{check_suite.app.name|check_suite.head_sha}", text="{check_suite.head_commit.message}",
        url="{repository.html_url}/commit/{check_suite.head_sha}",
        state=(CI, "{check_suite.conclusion}"), conclusion="{check_suite.conclusion}",
        number="check_suite.pull_requests.0.number",
        branch="check_suite.head_branch", base="check_suite.pull_requests.0.base.ref",
        started_at="{check_suite.created_at}",
        committers="check_suite.head_commit.author",
    ),
    "check_suite.rerequested": Row(concerns="", state="info", conclusion=""),
    "status": Row(
        concerns="committer",
        key="{R}@{sha}:{context}",
        title="{context}", text="{description|commit.commit.message}", url="{target_url} {commit.html_url}",
        state=(CI, "{state}"), conclusion="{state}",
        branch="branches[].name",
        started_at="{created_at}",
        committers="commit.author|commit.commit.author",
    ),
    "deployment": Row(
        concerns="author",
        key="{R}:env:{deployment.environment}",
        title="{deployment.environment}", text="{deployment.description}", url="{workflow_run.html_url}",
        branch="deployment.ref",
        started_at="{deployment.created_at}",
        author="deployment.creator",
    ),
    "deployment_status": Row(
        concerns="author owner",
        key="{R}:env:{deployment.environment}",
        title="{deployment.environment}", text="{deployment_status.description|deployment.description}",
        url="{deployment_status.log_url} {deployment_status.target_url} {workflow_run.html_url}",
        state=(CI, "{deployment_status.state}"), conclusion="{deployment_status.state}",
        branch="deployment.ref",
        started_at="{deployment.created_at}",
        author="deployment.creator",
        owners="workflow_run.actor",
    ),
    "deployment_review": Row(
        concerns="reviewer",
        key="{R}:run:{workflow_run.id}:env:{environment|workflow_job_run.environment}",
        title="{environment|workflow_job_run.environment}", text="{comment|workflow_run.display_title}",
        url="{workflow_run.html_url}",
        state=(ASKED, "{ACTION}"),
        branch="workflow_run.head_branch",
        started_at="{since}",
        author="requestor|workflow_run.triggering_actor|workflow_run.actor",
        reviewers="reviewers[].reviewer",
    ),
    "deployment_review.approved": Row(concerns="author"),
    "deployment_review.rejected": Row(concerns="author"),
    "deployment_protection_rule": Row(
        concerns="author",
        key="{R}:env:{environment}",
        title="{environment}",
        state=(ASKED, "{ACTION}"),
        number="pull_requests.0.number",
        branch="deployment.ref",
        started_at="{deployment.created_at}",
        author="deployment.creator",
    ),
    "page_build": Row(
        concerns="committer",
        key="{R}:pages",
        title="GitHub Pages", text="{build.error.message}",
        state=(CI, "{build.status}"), conclusion="{build.status}",
        started_at="{build.created_at}",
        committers="build.pusher",
    ),
    "workflow_dispatch": Row(
        concerns="actor", key="{R}:{EVENT}:{workflow}", title="{workflow}", branch="REF"
    ),
    "repository_dispatch": Row(
        concerns="actor", key="{R}:{EVENT}:{ACTION}", title="{ACTION}", branch="branch"
    ),
}

# fmt: on
ROWS: Mapping[str, Row] = PULL_REQUESTS | ISSUES | CODE | RUNS | SECURITY | SETTINGS | PEOPLE | PLANNING


def row(event: str, action: str) -> Row:
    """The row for an event, whether or not the table knows it."""
    return ANY | ROWS.get(event, Row()) | ROWS.get(f"{event}.{action}", Row())

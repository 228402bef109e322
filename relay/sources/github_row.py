"""The columns in which `github_events` and `github_admin_events` describe GitHub's events, and the words in them.

Reads no payload and names no event. `github_columns` says how paths and templates are written. Names in capitals are
not GitHub's:

* ``R``: ``repository.full_name``, or the organization where there is no repository;
* ``N``: the row's ``number``; ``BRANCH``: its ``branch``;
* ``REF``: the full ref, ``refs/heads/main``, also where GitHub writes it short; ``REF_NAME``: only ``main``;
* ``EVENT`` and ``ACTION``: the event's two names.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict, cast

from relay.model import State

States = tuple[Mapping[str, State], str]  # which state a word means, and the template that finds the word


class Row(TypedDict, total=False):
    """How one event is understood. Columns left out are empty."""

    concerns: str  # the roles whom it concerns, the nearest first; a test holds the row to it
    key: str  # template: the thing; a newer notification about it replaces the older
    title: str  # template: the thing's own name, in one line
    text: str  # template: its longer text
    url: str  # templates, the first that is whole: the deepest page about it
    state: State | States  # a word unknown to the table is «info»
    conclusion: str  # template: how it ended, in GitHub's word
    severity: str  # template, in GitHub's word
    number: str  # path: what people write after «#»
    branch: str  # path; of several, the default branch if it is among them
    head: str  # path: the repository that the branch is in, where that may be a fork
    base: str  # path: the branch that it shall go into
    paths: str  # paths: files
    labels: str  # paths: names
    draft: str  # path
    started_at: str  # template
    actor: str  # people, the first counts: who did it
    author: str  # people, the first counts: whose pull request, issue or commit it is
    assignees: str  # people
    reviewers: str  # people
    committers: str  # people
    owners: str  # people: whoever else the payload names as responsible
    mentions: str  # template: the Markdown in which people are called by name


# What stands in every column that a row leaves out.
ANY = cast(Row, dict.fromkeys(Row.__annotations__, "")) | Row(
    key="{R}:{EVENT}",
    title="{EVENT} {ACTION}",
    state="info",
    actor="sender",
)

# fmt: off
# ── Words to states ───────────────────────────────────────────────────────────────────────────────────────────

WORK: Mapping[str, State] = {"open": "open", "closed": "closed", "locked": "open"}

COMMENT: Mapping[str, State] = {"deleted": "closed"}  # what was said is gone; otherwise it is only news

# Conclusions of runs and checks, states of commit statuses, deployments and page builds. «cancelled», «skipped»,
# «neutral» and «stale» say neither that it is broken nor that it works.
CI: Mapping[str, State] = {
    "failure": "firing", "timed_out": "firing", "startup_failure": "firing", "action_required": "firing",
    "error": "firing", "errored": "firing",
    "success": "resolved", "built": "resolved",
}

# An alert's own state where it has one, else its resolution, else what was done to it.
ALERT: Mapping[str, State] = {
    "open": "firing", "created": "firing", "create": "firing", "reopened": "firing", "reopen": "firing",
    "reopened_by_user": "firing", "reintroduced": "firing", "auto_reopened": "firing", "appeared_in_branch": "firing",
    "publicly_leaked": "firing", "validated": "firing", "assigned": "firing", "unassigned": "firing",
    "fixed": "resolved", "dismissed": "resolved", "dismiss": "resolved", "auto_dismissed": "resolved",
    "closed": "resolved", "closed_by_user": "resolved", "resolved": "resolved", "resolve": "resolved",
    "false_positive": "resolved", "wont_fix": "resolved", "revoked": "resolved", "used_in_tests": "resolved",
    "pattern_deleted": "resolved", "pattern_edited": "resolved",
}

ASKED: Mapping[str, State] = {  # something waits for somebody until it is answered
    "requested": "open", "created": "open", "reported": "open", "enqueued": "open", "auto_merge_enabled": "open",
    "checks_requested": "open", "approved": "closed", "rejected": "closed", "denied": "closed", "cancelled": "closed",
    "published": "closed", "dequeued": "closed", "auto_merge_disabled": "closed", "destroyed": "closed",
}

SEVERITIES = {"moderate": "medium", "publicly_leaked": "critical"}  # other words stay as GitHub writes them

# The actions with which a text is new: with others, those it names have been called already. A comment that is
# deleted calls them once more, so that its notification can be taken back.
NEW_TEXT = {"opened", "ready_for_review", "created", "submitted", "published", "edited", "deleted"}
# fmt: on

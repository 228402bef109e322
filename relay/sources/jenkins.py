"""Jenkins with its Notification plugin: verify and read.

Never takes a build for finished that is not: while it runs, the plugin may tell the former build's status. Jenkins
itself sends nothing, and the plugin signs nothing: it proves itself by HTTP Basic from the endpoint's address.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import unquote

from relay.errors import NotUnderstood
from relay.model import Event, Reading, Request, State
from relay.sources import auth, fields, identity, rows
from relay.sources.github_columns import Payload, Place
from relay.sources.github_row import Row
from relay.sources.proof import HeaderProof
from relay.sources.repo_name import repo_name

# Where an old version gives no timestamp, the same build in the same phase within this time is the same delivery.
SAME_BUILD_SECONDS = 60.0

# fmt: off
# hudson.model.Result, in the words that all senders share. «unstable» is Jenkins's own: built, but tests fail.
CONCLUSIONS = {"not_built": "skipped", "aborted": "cancelled"}
STATES: Mapping[str, State] = {"FAILURE": "firing", "UNSTABLE": "firing", "SUCCESS": "resolved"}

BUILD = rows.EMPTY | Row(
    concerns="committer",
    key="{JOB}",  # a later success replaces the failure
    title="{JOB_NAME} #{N}",
    text="{build.notes|build.log}",
    url="{build.full_url}",
    state=(STATES, "{RESULT}"),
    conclusion="{ENDED}",
    severity="{SEVERITY}",
    number="build.number",
    branch="SCM_BRANCH",
    paths="build.scm.changes[]",
    started_at="{STARTED}",
    committers="build.scm.culprits[]",
)
# fmt: on


class Options(HeaderProof):
    """`type: jenkins`: the plugin can `basic`; a step of your own that posts the same body also the others."""

    type: Literal["jenkins"]


verify, sign = auth.check, auth.headers  # what its options ask for is all that proves who sends


def read(name: str, options: Options, request: Request) -> Reading:  # noqa: ARG001
    """Understand a build: one event, ``build``, whose action is the phase.

    Raises:
        NotUnderstood: it is not the plugin's JSON (it can send XML too), or a value is of another type.
    """
    payload = fields.document(fields.parse(request.body))
    phase = fields.text(payload, "build", "phase")
    if not phase:
        raise NotUnderstood("build.phase is missing: set the endpoint's format to JSON in the Notification plugin")
    moment = fields.text(payload, "build", "timestamp")
    told = [fields.text(payload, "build", key) for key in ("full_url", "url", "status", "notes")]
    delivery = identity.digest(name, phase, moment, fields.number(payload, "build", "number"), *told)
    event = _event(name, phase, delivery, payload)
    return Reading(delivery=delivery, window=None if moment else SAME_BUILD_SECONDS, events=(event,))


def _event(name: str, phase: str, delivery: str, payload: dict[str, Any]) -> Event:
    status = fields.text(payload, "build", "status").upper() if phase in ("COMPLETED", "FINALIZED") else ""
    job = fields.text(payload, "url").strip("/") or fields.text(payload, "name")
    facts = payload | {
        "R": repo_name(fields.text(payload, "build", "scm", "url")),
        "EVENT": "build",
        "ACTION": phase.lower(),
        "JOB": job,
        "JOB_NAME": _job_name(job, fields.text(payload, "display_name") or fields.text(payload, "name")),
        "ENDED": status,
        # Steps after the build may still change the result, and both phases of one build shall not alarm twice.
        "RESULT": status if phase == "FINALIZED" else "",
        "SEVERITY": "warning" if status == "UNSTABLE" else "",
        "STARTED": fields.text(payload, "build", "timestamp") if phase == "STARTED" else "",
        "SCM_BRANCH": _branch(fields.text(payload, "build", "scm", "branch")),
    }
    parameters = fields.texts(payload, "build", "parameters")
    return rows.understand(DIALECT, name, BUILD, facts, delivery=delivery, payload=payload, labels=parameters)


def _person(facts: Payload, place: Place) -> str:
    """A culprit: the id of a Jenkins user."""
    return fields.text(facts, *place)


DIALECT = rows.Dialect(type="jenkins", person=_person, conclusions=CONCLUSIONS)


def _job_name(job: str, shown: str) -> str:
    """A job in folders by its whole way, ``shop/main``: its own name is often only a branch's."""
    parts = job.split("/")
    if len(parts) < 4 or len(parts) % 2 or any(part != "job" for part in parts[::2]):
        return shown
    return fields.clean("/".join(map(unquote, parts[1::2])))


def _branch(branch: str) -> str:
    """Without the remote, which the Git plugin writes before it (GIT_BRANCH: «origin/main»)."""
    return branch.removeprefix("refs/remotes/").removeprefix("origin/")

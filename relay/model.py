"""The nouns of the relay, named for their stage of life: Request → Event → Message → Parcel → Verdict.

Nothing here computes, reads or sends.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

State = Literal["firing", "resolved", "open", "closed", "info"]
Via = Literal["personal", "system"]

# What became of an event: somebody is told, or why nobody is (rules/deciding.py says what each means).
Outcome = Literal[
    "addressed",
    "nobody",
    "no_rule",
    "dropped",
    "own_act",
    "skipped",
    "muted",
    "silenced",
    "inhibited",
    "grouped",
    "throttled",
    "repeated",
    "unreadable",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a sender posted, before anyone has believed it.

    ``headers`` has lower-case names; ``body`` is the raw bytes, as signatures cover them.
    """

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One alert of a group (Alertmanager, Grafana). Times are RFC 3339, ``""`` where there is none."""

    status: Literal["firing", "resolved"]
    name: str
    summary: str = ""
    description: str = ""
    severity: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    started_at: str = ""
    ended_at: str = ""
    fingerprint: str = ""
    url: str = ""  # where it is seen best: its panel, its dashboard, or its expression
    rule_url: str = ""  # the page of the rule that raised it, where that is another
    dashboard_url: str = ""
    silence_url: str = ""
    runbook_url: str = ""
    image_url: str = ""
    values: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What happened, in the relay's own words: the same words for every sender (README, «The event's words»).

    A word that a sender has no value for is ``""``, ``None`` or empty, never absent.

    People stand as the sender names them: a login (``ivan-petrov``), an e-mail (``ivan@example.com``) or a
    team (``acme/backend``, recognised by its slash). Turning them into persons is the rules' work.
    """

    source: str  # the name under `sources:`, which is also the path /in/<source>
    type: str  # the kind of sender: github, alertmanager, grafana, json
    event: str  # what kind of thing happened: pull_request, workflow_run, alert
    action: str = ""  # and what became of it: opened, completed
    id: int | None = None  # the journal's number, once it has one
    nth: int = 0  # of the events that one request held
    delivery: str = ""  # the sender's own id of this delivery
    key: str = ""  # the thing that the event is about: a newer event with this key replaces an older
    state: State = "info"
    severity: str = ""
    title: str = ""
    text: str = ""  # the sender's longer text; Markdown where the sender writes Markdown
    url: str = ""
    repo: str = ""
    branch: str = ""
    base_branch: str = ""
    paths: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    actor: str = ""
    actor_is_bot: bool = False
    author: str = ""
    assignees: tuple[str, ...] = ()
    reviewers: tuple[str, ...] = ()
    mentioned: tuple[str, ...] = ()
    committers: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    draft: bool | None = None
    conclusion: str = ""
    number: int | None = None
    started_at: str = ""
    alerts: tuple[Alert, ...] = ()
    truncated: int = 0  # alerts of the group that the sender left out
    payload: Any = None  # the whole body, as JSON gives it


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """A sender's request, understood.

    ``delivery`` is the idempotency key: the same value within ``window`` seconds is the same delivery
    posted again (``None``: for as long as the journal remembers).
    """

    delivery: str
    window: float | None
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A notification decided and worded, for one person of one portal.

    ``attach`` is the ATTACH object in the portal's own shape, or ``None``. ``key`` orders messages: two
    messages of one key to one person never overtake each other. ``tag`` may be ``""``: replaces nothing.
    """

    portal: str
    user_id: int
    person: str
    rule: str
    key: str
    tag: str
    text: str
    attach: Mapping[str, Any] | None = None
    via: Via = "personal"
    urgent: bool = False
    fallback: tuple[int, ...] = ()  # portal ids to try, in order, when the portal refuses the recipient
    delete: bool = False  # take the tag's notification away instead of sending one (`on_resolve: delete`)
    note: str = ""  # what went less than well while wording it, for the operator
    not_before: float = 0.0  # Unix seconds: held till then for the recipient's quiet hours; 0: at once


@dataclass(frozen=True, slots=True)
class Note:
    """One thing that the rules remember of earlier events: a JSON object, and when something must become of it.

    ``due`` is Unix seconds, or ``None``: nothing has to.
    """

    value: Mapping[str, Any]
    due: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """A message on its way: stored, numbered and counted."""

    id: int
    message: Message
    attempts: int = 0
    plain: bool = False  # send without blocks: the portal has refused them once
    created_at: float = 0.0  # Unix seconds
    failing_since: float | None = None  # Unix seconds, of its own first failure
    event: int | None = None  # the journal's number of what it tells of


# ── Verdicts: what one answer means for one parcel ────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Delivered:
    """The portal stored it. ``id`` is the notification's id; 0 for a deletion."""

    id: int


@dataclass(frozen=True, slots=True)
class Muted:
    """The recipient has switched these notifications off: nothing was shown, and nothing is wrong."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The portal takes nothing for this recipient (no such person, or inactive)."""

    why: str


@dataclass(frozen=True, slots=True)
class Later:
    """Not now. ``not_before`` is Unix seconds, or ``None`` where the portal gave no time."""

    code: str
    why: str
    not_before: float | None = None


@dataclass(frozen=True, slots=True)
class WithoutBlocks:
    """The portal cannot read or take the blocks: once more without them."""

    code: str
    why: str


@dataclass(frozen=True, slots=True)
class Dead:
    """It will never be taken as it is."""

    code: str
    why: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """The request was sent and no answer came: it may have been done."""

    why: str


Verdict = Delivered | Muted | Refused | Later | WithoutBlocks | Dead | Unknown

Trouble = Literal[
    "rate",  # asked too much of it: wait
    "down",  # does not answer, or answers 5xx
    "closed",  # answers, but not to us: credentials, scope, plan, portal closed
    "expired",  # the access token has run out
]


@dataclass(frozen=True, slots=True)
class PortalTrouble:
    """What one answer means for the whole portal: its messages wait, and none of them is to blame.

    ``sent`` says whether the request may have been carried out all the same (an HTML 502 after a send).
    """

    kind: Trouble
    code: str
    why: str
    not_before: float | None = None
    sent: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back for one call: a verdict for each parcel, in the order sent, or trouble with the portal."""

    verdicts: tuple[Verdict, ...] = ()
    trouble: PortalTrouble | None = None
    moved_to: str = ""  # the host a renamed portal answered from, to be told to the operator
    operating: Mapping[str, float] = field(default_factory=dict)  # seconds charged by method, where the portal tells

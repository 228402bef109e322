"""GitHub's list of a hook's deliveries: where it is, what stands in it, and which of them the relay never got.

Never sends a request and never asks for a delivery that the journal has. As the list does not say where a delivery
went, none from before the source's first event is asked for: it may have been another receiver's.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import parse_qs, urlencode, urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from relay.errors import RelayError
from relay.schema import Part, SecretText
from relay.sources import fields

DAY = 86_400.0  # seconds
KEPT_FOR = 3 * DAY  # GitHub docs, «Redelivering webhooks»: deliveries of the past three days can be sent again
ON_ITS_WAY = 60.0  # seconds in which a delivery may still be between GitHub and the journal
PAUSES = (600.0, 3_600.0, 21_600.0)  # seconds after the first asking, the second, the third; a fourth is the last
PER_PAGE = 100  # the most that the API gives (GitHub REST docs, «List deliveries for a repository webhook»)
WAIT = 60.0  # seconds, where a limit is reached and no time is named (GitHub REST docs, «Rate limits»)
LONGEST_WAIT = 2 * 3_600.0  # seconds; GitHub's own limits start anew each hour

LOOPBACK = ("localhost", "127.0.0.1", "::1")
GUID = re.compile(r"[!-~]{1,128}")


# ── Where ────────────────────────────────────────────────────────────────────────────────────────────────────────

_ROOT, _NAME = r"(?P<root>https?://[^/\s@?#]+)", r"[\w.-]+"
_API = re.compile(rf"{_ROOT}(?P<base>/api/v3)?/(?P<place>repos/{_NAME}/{_NAME}|orgs/{_NAME})/hooks/(?P<id>[0-9]+)/?")
_PAGE = re.compile(
    rf"{_ROOT}/(?:organizations/(?P<org>{_NAME})|(?P<repo>{_NAME}/{_NAME}))/settings/hooks/(?P<id>[0-9]+)/?"
)


def hook_url(text: str) -> str:
    """The API's address of a hook, from that address or from that of the hook's page in a browser.

    Raises:
        ValueError: it is neither, or the token would travel unencrypted.
    """
    if page := _PAGE.fullmatch(text):
        place = f"orgs/{page['org']}" if page["org"] else f"repos/{page['repo']}"
        url = f"{_api_of(page['root'])}/{place}/hooks/{page['id']}"
    elif api := _API.fullmatch(text):
        url = f"{api['root']}{api['base'] or ''}/{api['place']}/hooks/{api['id']}"
    else:
        raise ValueError(
            "is not a hook's address: copy that of its page, as https://github.com/acme/shop/settings/hooks/123"
        )
    if not url.startswith("https://") and not is_loopback(url):
        raise ValueError("must begin with https://, for the token is sent there")
    return url


def _api_of(root: str) -> str:
    """GitHub REST docs, «Getting started»: api.github.com, api.SUBDOMAIN.ghe.com, HOSTNAME/api/v3 of a server."""
    scheme, _, host = root.partition("://")
    if host == "github.com" or host.endswith(".ghe.com"):
        return f"{scheme}://api.{host}"
    return f"{root}/api/v3"


def is_loopback(url: str) -> bool:
    return host_of(url) in LOOPBACK


def host_of(url: str) -> str:
    return urlsplit(url).hostname or ""


def _listed(value: object) -> Any:
    return value if isinstance(value, list | tuple) else [value]


Hooks = Annotated[
    tuple[Annotated[str, AfterValidator(hook_url)], ...],
    BeforeValidator(_listed),
    Field(min_length=1),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]}),
]


class Redeliver(Part):
    """Deliveries that never came are looked for in GitHub's list, and asked for again."""

    token: SecretText = Field(description="a token with write access to the webhooks")
    hook: Hooks = Field(description="the address of the hook's page, or of the hook in the API; or several")


def page_url(hook: str, cursor: str = "") -> str:
    """A page of a hook's deliveries, newest first."""
    return f"{hook}/deliveries?{urlencode({'per_page': PER_PAGE} | ({'cursor': cursor} if cursor else {}))}"


def attempt_url(hook: str, number: int) -> str:
    """Where a delivery is asked for again, by POST (GitHub REST docs, «Redeliver a delivery for a webhook»)."""
    return f"{hook}/deliveries/{number}/attempts"


# ── What stands there ────────────────────────────────────────────────────────────────────────────────────────────


class NotAPage(RelayError):
    """The answer is not a list of deliveries; look at the address in redeliver: hook:."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One attempt to deliver; a redelivery is an attempt of its own with the same ``guid``."""

    number: int
    guid: str
    at: float  # Unix seconds
    kind: str  # issues.opened
    status: int  # what the receiver answered; 0 if it could not be reached


@dataclass(frozen=True, slots=True)
class Page:
    """``cursor`` is that of the next page, empty on the last."""

    deliveries: tuple[Delivery, ...]
    cursor: str


def page(body: bytes, link: str) -> Page:
    """Read one page. ``link`` is the header of that name (RFC 8288).

    Raises:
        NotAPage: it is none.
    """
    try:
        entries = fields.parse(body)
    except RelayError:
        raise NotAPage from None
    if not isinstance(entries, list):
        raise NotAPage
    return Page(tuple(filter(None, map(_delivery, entries))), _next_cursor(link))


def _delivery(entry: Any) -> Delivery | None:
    match entry:
        case {"id": int(number), "guid": str(guid), "delivered_at": str(moment), "event": str(event)}:
            at = _unix(moment)
            if at is None or not GUID.fullmatch(guid):
                return None
            action, status = entry.get("action"), entry.get("status_code")
            return Delivery(
                number=number,
                guid=guid,
                at=at,
                kind=f"{event}.{action}" if isinstance(action, str) and action else event,
                status=status if isinstance(status, int) else 0,
            )
    return None


def _unix(moment: str) -> float | None:
    try:
        parsed = datetime.fromisoformat(moment)
    except ValueError:
        return None
    return parsed.timestamp() if parsed.tzinfo else None


_NEXT = re.compile(r"<([^>]*)>[^<]*;\s*rel=\"?next\"?")


def _next_cursor(link: str) -> str:
    """Only the cursor is taken from the link: wherever the rest leads, the token is not sent there."""
    found = _NEXT.search(link)
    if not found:
        return ""
    try:
        return parse_qs(urlsplit(found[1]).query).get("cursor", [""])[0]
    except ValueError:
        return ""


# ── Which to ask for ─────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Asked:
    """How often a delivery was asked for, and when last (Unix seconds)."""

    times: int
    at: float


def missing(
    deliveries: Iterable[Delivery], known: Container[str], asked: Mapping[str, Asked], *, since: float, now: float
) -> list[Delivery]:
    """The deliveries to ask for, oldest first: of each guid the newest attempt.

    Args:
        known: the guids in the journal. Whatever GitHub says of those, they have come.
        asked: by guid, what was asked for before.
        since: the source's first event (Unix seconds).
    """
    attempts: dict[str, list[Delivery]] = {}
    for each in deliveries:
        attempts.setdefault(each.guid, []).append(each)
    oldest = max(since, now - KEPT_FOR)
    found = [
        (min(each.at for each in of), max(of, key=lambda each: (each.at, each.number)))
        for guid, of in attempts.items()
        if guid not in known and _is_due(asked.get(guid), now)
    ]
    return [
        newest
        for first, newest in sorted(found, key=lambda pair: (pair[0], pair[1].number))
        if first >= oldest and newest.at <= now - ON_ITS_WAY and newest.kind != "ping"
    ]


def _is_due(before: Asked | None, now: float) -> bool:
    if before is None:
        return True
    return before.times <= len(PAUSES) and now >= before.at + PAUSES[before.times - 1]


# ── What went wrong ──────────────────────────────────────────────────────────────────────────────────────────────

LIMITED = "GitHub asks to wait: the token's requests of this hour are used up, or came too fast"
MOVED = "the hook's address has moved, which is not followed: give the new one as redeliver: hook:"
SENTENCES: Mapping[int, str] = {
    301: MOVED,
    302: MOVED,
    307: MOVED,
    308: MOVED,
    401: "GitHub does not accept the token: make a new one for redeliver: token:",
    403: "the token may not do this: give it write access to webhooks"
    " (a classic token: admin:repo_hook, for an organization admin:org_hook)",
    404: "there is no such hook, or the token may not see it: look at redeliver: hook: and at the token's access to"
    " webhooks",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """Why GitHub does not do what it was asked for; ``until`` (Unix seconds) it is not to be asked again."""

    why: str
    until: float = 0.0


def fault(status: int, headers: Mapping[str, str], now: float) -> Fault | None:
    """What is wrong with an answer; ``None`` of a good one.

    Args:
        headers: with lower-case names.
    """
    if 200 <= status < 300:
        return None
    named = "retry-after" in headers or headers.get("x-ratelimit-remaining") == "0"
    if status == 429 or (status == 403 and named):
        return Fault(LIMITED, now + _wait(headers, now))
    return Fault(SENTENCES.get(status, f"GitHub answers {status}"))


def _wait(headers: Mapping[str, str], now: float) -> float:
    """Seconds to wait, as GitHub REST docs, «Exceeding the rate limit»: Retry-After, then the reset, then a minute."""
    after, reset = headers.get("retry-after", ""), headers.get("x-ratelimit-reset", "")
    if re.fullmatch(r"[0-9]{1,9}", after):
        wait = float(after)
    elif headers.get("x-ratelimit-remaining") == "0" and re.fullmatch(r"[0-9]{1,12}", reset):
        wait = float(reset) - now
    else:
        wait = WAIT
    return min(max(wait, 1.0), LONGEST_WAIT)

"""The addresses to which senders post, one for each source.

Never understands a request itself: it takes the raw bytes and hands them to the intake, and answers when they are on
disk.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from http import HTTPStatus

from flask import Blueprint, Response
from flask import request as asked

from relay import failpoint, intake, log, tracing
from relay.errors import RelayError, StoreUnavailable, TooLarge
from relay.house import House
from relay.model import Request
from relay.sources import SENDERS
from relay.store import journal
from relay.store.journal import Receipt
from relay.tracing import Origin
from relay.web import answers
from relay.web.answers import Visit
from relay.web.promised import Promised


def routes(house: House) -> Blueprint:
    """The sources of a house."""
    page = Blueprint("in", __name__)

    @page.route("/in/<name>", methods=["POST", "PUT"], provide_automatic_options=False)
    def receive(name: str) -> Promised:
        house.rules_file.follow()
        rules = house.rules_file.current  # as they were read: who proves himself how is no question to the database
        options = intake.known(name, rules)  # before its body is looked at
        now = time.time()
        request = Request(
            method=asked.method, path=f"/in/{name}", headers=_headers(), body=_body(limit=options.max_body)
        )
        written = intake.accept(name, request, rules=rules, journal=house.journal, now=now)
        return Promised(written, Taken(house, name, answers.visit(), now, request.headers, written).tell)

    @page.route("/in/<name>", methods=["OPTIONS"])
    def permit(name: str) -> tuple[str, int, dict[str, str]]:
        """May this be posted to? Some senders ask first, and post nothing unless they are answered (CloudEvents)."""
        house.rules_file.follow()
        options = intake.known(name, house.rules_file.current)
        handshake = SENDERS[options.type].handshake
        granted = handshake(options, _headers()) if handshake else {}
        return "", HTTPStatus.OK, {"Allow": "POST, PUT, OPTIONS", **granted}

    return page


@dataclass(frozen=True, slots=True)
class Taken:
    """An event that is believed and understood, and on its way to the disk. ``at`` is when it came, Unix seconds."""

    house: House
    source: str
    visit: Visit
    at: float
    headers: Mapping[str, str]
    written: Future[Receipt]

    def tell(self, answer: Response) -> Response:
        """Let the answer say what its sender is told once it is on disk, or could not be written."""
        failpoint.here("intake: journalled, not answered")
        try:
            receipt = self.written.result()
        except StoreUnavailable as fault:
            return answers.unavailable(answer, self.visit, fault)
        except Exception as fault:
            return answers.failed(answer, self.visit, fault)
        status = HTTPStatus.OK if receipt.duplicate else HTTPStatus.ACCEPTED
        log.line(
            "intake: known already" if receipt.duplicate else "intake: journalled",
            request=self.visit.id,
            event=receipt.id,
            source=self.source,
            kind=receipt.kind,
            status=int(status),
            duplicate=receipt.duplicate,
            bytes=self.visit.bytes,
            ms=self.visit.ms,
            trace=self._trace(receipt),
        )
        what = {"event": receipt.id, "duplicate": True} if receipt.duplicate else {"event": receipt.id}
        return answers.fill(answer, status, what)

    def _trace(self, receipt: Receipt) -> str:
        """Tell the span of the request, in the trace of its event."""
        origin = self._origin(receipt) if tracing.is_on() else None
        if origin is None:
            return ""
        which = self.visit.id if receipt.duplicate else ""
        words = {"source": self.source, "kind": receipt.kind, "request": self.visit.id}
        return tracing.told("intake", origin, self.at, time.time(), which=which, duplicate=receipt.duplicate, **words)

    def _origin(self, receipt: Receipt) -> Origin | None:
        if not receipt.duplicate:
            return Origin(event=receipt.id, received_at=receipt.at, headers=self.headers)
        try:
            with self.house.database.read() as tx:
                return journal.origins(tx, [receipt.id])[0]
        except (RelayError, IndexError):  # it is on disk, or was once: a trace must not refuse it
            return None


def _body(*, limit: int) -> bytes:
    """The raw body.

    Read by hand, because MAX_CONTENT_LENGTH cuts a chunked body to the limit without a word (Werkzeug 3.1): a
    signature would then be checked over half a message.
    """
    if (asked.content_length or 0) > limit:
        raise TooLarge(f"the body is larger than {limit} bytes; raise max_body: of this source if that is meant")
    body = asked.stream.read(limit + 1)
    if len(body) > limit:
        raise TooLarge(f"the body is larger than {limit} bytes; raise max_body: of this source if that is meant")
    return body


def _headers() -> dict[str, str]:
    """The request's headers, with names in lower case."""
    return {name.lower(): _text(value) for name, value in asked.headers.items()}


def _text(header: str) -> str:
    """A header's value: UTF-8 where it is, else Latin-1, as which WSGI hands every header over (PEP 3333)."""
    if header.isascii():
        return header
    raw = header.encode("latin-1", "replace")
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return header

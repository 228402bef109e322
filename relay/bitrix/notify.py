"""One notification by one function call: what a script, a cron job or `relay notify` needs.

Never queues or stores anything, and never repeats a request that the portal may have carried out. What the
portal answers comes back unchanged, its errors included; only what is no answer at all is raised.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from typing import Any, TypedDict, Unpack

from relay.bitrix import blocks
from relay.bitrix.address import PortalNotTrusted, parse
from relay.bitrix.answer import decode, is_retryable
from relay.bitrix.call import DELETE, PERSONAL, SYSTEM
from relay.bitrix.client import CONNECT_TIMEOUT, READ_TIMEOUT, Client, Reply, Wire
from relay.bitrix.pace import backoff
from relay.errors import PortalUnreachable, RelayError
from relay.settings import Secret

RETRIES = 3
LONGEST_RETRY_AFTER = 60.0  # seconds; whoever wants us to wait for longer is told about instead
_SHOWN_BODY = 2_000  # bytes of an answer that is none, kept for a look


class Options(TypedDict, total=False):
    """How to send; everything has a default."""

    timeout: float  # seconds without an answer, 65: longer than the 60 that the portal gives a request
    proxy: str  # a proxy's URL; else the environment's
    retries: int  # repeats, 3, of what surely was not carried out: connection refused, rate limit
    full: bool  # return {"status", "headers", "body"} instead of the body alone
    insecure: bool  # allow plain http beyond this machine
    fetch: bool  # allow `attachments` to be a web address, and read it
    sleep: Callable[[float], object]  # for tests


class BadNotification(RelayError):
    """The notification cannot be sent as it is."""


class NotAnAnswer(PortalUnreachable):
    """What came back is not the portal's: a web page, nothing, half an answer. It may have been carried out.

    ``status`` is the HTTP status, ``body`` the beginning of what came, without the credentials.
    """

    def __init__(self, why: str, *, status: int, body: str) -> None:
        super().__init__(why, sent=True)
        self.status = status
        self.body = body


def create_personal_notification(  # noqa: PLR0917  (OpenIntegrations' six parameters, in their order)
    url: str,
    user_id: int | str,
    text: str,
    tag: str = "",
    attachments: blocks.Blocks = (),
    token: str = "",
    **options: Unpack[Options],
) -> dict[str, Any]:
    """Send a notification in the name of the webhook's owner or the token's user (``im.notify.personal.add``).

    Args:
        url: an incoming webhook's address; with ``token`` the portal's domain.
        user_id: the recipient's number on the portal.
        text: the message, with BB-codes.
        tag: a newer notification with it replaces an older one (with a token; for a webhook the portal
            ignores it).
        attachments: blocks, see `relay.bitrix.blocks.read`.
        token: an application's access token.
        options: see `Options`.

    Returns:
        The portal's answer: ``{"result": id, "time": {…}}`` or ``{"error": code, "error_description": …}``.

    Raises:
        BadAddress, BadNotification, BadBlocks: nothing was sent, the sentence says what to mend.
        PortalUnreachable: no answer; ``sent`` says whether it may have been carried out.
    """
    parameters = notification(user_id, text, tag, attachments, fetch=fetcher(options))
    return call_method(url, PERSONAL, parameters, token, **options)


def create_system_notification(  # noqa: PLR0917  (the same six)
    url: str,
    user_id: int | str,
    text: str,
    tag: str = "",
    attachments: blocks.Blocks = (),
    token: str = "",
    **options: Unpack[Options],
) -> dict[str, Any]:
    """The same as `create_personal_notification`, in nobody's name (``im.notify.system.add``)."""
    parameters = notification(user_id, text, tag, attachments, fetch=fetcher(options))
    return call_method(url, SYSTEM, parameters, token, **options)


def delete_notification(
    url: str, notification_id: int | str, token: str = "", **options: Unpack[Options]
) -> dict[str, Any]:
    """Delete a notification of the caller's own list by its number (``im.notify.delete``).

    ``result`` is ``false`` when there is none, or it is somebody else's: a webhook sees its owner's only.
    """
    return call_method(url, DELETE, deletion(notification_id), token, **options)


def call_method(
    url: str, method: str, parameters: Mapping[str, Any], token: str = "", **options: Unpack[Options]
) -> dict[str, Any]:
    """Call any REST method, such as ``im.notify.read`` or ``profile``; answers and errors as above."""
    address = parse(url, token, insecure=options.get("insecure", False))
    with Client(address, timeout=_timeouts(options), proxy=options.get("proxy", "")) as client:
        reply = patiently(lambda: client.call(method, parameters), options)
    return unpack(reply, address.hide, address.host, options)


def notification(
    user_id: int | str, text: str, tag: str = "", attachments: blocks.Blocks = (), *, fetch: blocks.Fetch | None = None
) -> dict[str, Any]:
    """The parameters of a send: ``USER_ID``, ``MESSAGE``, and ``TAG`` and ``ATTACH`` where there is any.

    Raises:
        BadNotification, BadBlocks: it cannot be sent.
    """
    if not isinstance(text, str) or not text.strip():
        raise BadNotification("the text is empty: the portal takes no notification without one")
    parameters: dict[str, Any] = {"USER_ID": _number(user_id, "the user"), "MESSAGE": text}
    if tag.strip():
        parameters["TAG"] = tag
    attach = blocks.read(attachments, fetch=fetch)
    if attach is not None:
        parameters["ATTACH"] = attach
    return parameters


def deletion(notification_id: int | str) -> dict[str, Any]:
    """The parameters of a deletion."""
    return {"ID": _number(notification_id, "the notification")}


def fetcher(options: Options) -> blocks.Fetch | None:
    """What reads blocks from a web address, if ``options`` allow it."""
    return (lambda url: _fetched(url, options)) if options.get("fetch") else None


def wire(options: Options) -> Wire:
    """What carries single requests as ``options`` say."""
    return Wire(timeout=_timeouts(options), proxy=options.get("proxy", ""))


def patiently(attempt: Callable[[], Reply], options: Options) -> Reply:
    """Repeat what surely was not carried out, after 1, 2, 4, … seconds, as often as ``options`` say."""
    sleep, retries = options.get("sleep", time.sleep), options.get("retries", RETRIES)
    number = 0
    while True:
        number += 1
        wait = backoff(number, jitter=random.SystemRandom().random())
        try:
            reply = attempt()
        except PortalUnreachable as error:
            if number > retries or error.sent or isinstance(error, PortalNotTrusted):
                raise
        else:
            if number > retries or not is_retryable(reply.status, reply.body):
                return reply
            wait = max(wait, _retry_after(reply))
        sleep(wait)


def unpack(reply: Reply, hide: Callable[[str], str], host: str, options: Options) -> dict[str, Any]:
    """The answer's JSON map; or with ``full``, status, headers and body, whatever the body is.

    Raises:
        NotAnAnswer: the body is not a JSON map, and ``full`` was not asked for.
    """
    try:
        body = decode(reply.body)
    except ValueError:
        body = None
    if options.get("full"):
        shown = body if body is not None else hide(reply.body.decode("utf-8", "replace"))
        return {"status": reply.status, "headers": dict(reply.headers), "body": shown}
    if isinstance(body, dict):
        return body
    what = "nothing" if not reply.body.strip() else "something that is not the REST API's answer"
    page = hide(reply.body.decode("utf-8", "replace"))[:_SHOWN_BODY]
    raise NotAnAnswer(f"{host} answers with {what} (HTTP {reply.status})", status=reply.status, body=page)


def _number(given: int | str, what: str) -> int:
    """A number above 0, as itself or in digits: anything else the portal would turn into 0 or into somebody else."""
    text = str(given).strip() if isinstance(given, int | str) and not isinstance(given, bool) else ""
    if not (text.isascii() and text.isdigit() and len(text) < 19 and int(text) > 0):
        raise BadNotification(f"{what} is given by a number above 0, such as 17")
    return int(text)


def _timeouts(options: Options) -> tuple[float, float]:
    timeout = options.get("timeout", READ_TIMEOUT)
    return min(CONNECT_TIMEOUT, timeout), timeout


def _retry_after(reply: Reply) -> float:
    value = reply.headers.get("retry-after", "")
    return min(float(value[:9]), LONGEST_RETRY_AFTER) if value.isascii() and value.isdigit() else 0.0


def _fetched(url: str, options: Options) -> bytes:
    with closing(wire(options)) as opened:
        reply = opened.send("GET", Secret(url), name="the address of the blocks")
    if reply.status != 200:
        raise blocks.BadBlocks(f"the address of the blocks answers with HTTP {reply.status}")
    return reply.body

"""The portal's error codes and what each of them means for us: one table, with the source of every row.

Decides by the code first and by the HTTP status second, for the sources disagree about statuses. Never reads a body.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

Consequence = Literal[
    "rate",  # asked too often: everything waits
    "resting",  # this method has used up its time: wait until the portal's clock says so
    "down",  # the portal is in trouble: wait, no message is to blame
    "closed",  # the portal does not serve us: somebody has to mend it
    "expired",  # the access token has run out: refresh it
    "later",  # this one was not carried out: again
    "few",  # this one met a fault that may pass: again, but not for ever
    "blocks",  # the portal cannot take the blocks
    "recipient",  # the portal takes nothing for this recipient
    "dead",  # it will never be taken as it is
]


class Meaning(NamedTuple):
    """What an error means. ``sent``: the request may have been carried out all the same."""

    consequence: Consequence
    why: str
    source: str
    sent: bool = False


DOCS = "Bitrix24 REST docs, error codes and limits"
METHOD = "Bitrix24 REST docs, im.notify.personal.add and im.notify.delete"
BATCH = "Bitrix24 REST docs, batch"
SDK = "Bitrix24 Python SDK, error classes"
SERVER = "rest module of the self-hosted product, 26.250"
HTTP = "RFC 9110 §15"

_NEW_WEBHOOK = "wrong, deleted, given to another owner, or blocked after a leak: make a new webhook"
_NO_SCOPE = "the webhook or application lacks a right: tick the scope im (chat and notifications)"
_NOT_INSTALLED = "the application is not installed on the portal: install it again"
_WRONG_PARAMETERS = "the portal does not accept the parameters of this call"
_NO_METHOD = "the portal does not know the method: is the address a webhook's, and the messenger installed?"
_FAULT = "the portal met a fault of its own"

ERRORS: Mapping[str, Meaning] = {
    # How much may be asked
    "QUERY_LIMIT_EXCEEDED": Meaning("rate", "too many requests", DOCS),
    "OPERATION_TIME_LIMIT": Meaning("resting", "the method has used up its time of these ten minutes", DOCS),
    "OVERLOAD_LIMIT": Meaning("closed", "the portal has blocked REST for overload: ask Bitrix24's support", DOCS),
    # A fault on the portal's side; the first two may come after the work was done
    "INTERNAL_SERVER_ERROR": Meaning("down", _FAULT, DOCS, sent=True),
    "ERROR_UNEXPECTED_ANSWER": Meaning("down", _FAULT, DOCS, sent=True),
    "CONNECTION_ERROR": Meaning("down", "the portal cannot reach its authorisation server", SERVER),
    "ERROR_CORE": Meaning("few", _FAULT, SERVER),
    # Who we are
    "EXPIRED_TOKEN": Meaning("expired", "the access token has expired", DOCS),
    "NO_AUTH_FOUND": Meaning("closed", "the portal finds no credentials it knows: check webhook or token", DOCS),
    "INVALID_CREDENTIALS": Meaning("closed", f"the webhook's secret is {_NEW_WEBHOOK}", DOCS),
    "INVALID_TOKEN": Meaning("closed", "the access token belongs to no application: authorise again", SDK),
    "INSUFFICIENT_SCOPE": Meaning("closed", _NO_SCOPE, DOCS),
    "INVALID_SCOPE": Meaning("closed", _NO_SCOPE, SDK),
    "APPLICATION_NOT_FOUND": Meaning("closed", _NOT_INSTALLED, SDK),
    "ERROR_OAUTH": Meaning("closed", _NOT_INSTALLED, SDK),
    "NOT_INSTALLED": Meaning("closed", _NOT_INSTALLED, SDK),
    "AUTHORIZATION_ERROR": Meaning("closed", "the webhook's owner is dismissed or blocked", SDK),
    "USER_ACCESS_ERROR": Meaning("closed", "the token's user has no access to the application", DOCS),
    "ALLOWED_ONLY_INTRANET_USER": Meaning("closed", "the webhook's owner is not an employee of the portal", SDK),
    "WRONG_AUTH_TYPE": Meaning("closed", "this kind of credentials may not send: use a webhook or a token", METHOD),
    "METHOD_CONFIRM_WAITING": Meaning("closed", "an administrator has yet to confirm this call", DOCS),
    "METHOD_CONFIRM_DENIED": Meaning("closed", "an administrator has denied this call", DOCS),
    "INVALID_REQUEST": Meaning("closed", "the portal wants https", DOCS),
    # What the portal's owner has paid for
    "ACCESS_DENIED": Meaning("closed", "REST is not part of the portal's plan, or access is denied", DOCS),
    "PAYMENT_REQUIRED": Meaning("closed", "the portal's subscription has ended", SDK),
    "PORTAL_DELETED": Meaning("closed", "the portal is deleted, or closed for a time", DOCS),
    # What we asked
    "ERROR_METHOD_NOT_FOUND": Meaning("closed", _NO_METHOD, SERVER),
    "METHOD_NOT_FOUND": Meaning("closed", _NO_METHOD, DOCS),  # one page of the docs writes it so
    "NOT_FOUND": Meaning("closed", _NO_METHOD, SDK),
    "USER_ID_EMPTY": Meaning("recipient", "the portal reads no user's number in it", METHOD),
    "MESSAGE_EMPTY": Meaning("blocks", "the portal reads no text in it", METHOD),
    "ATTACH_OVERSIZE": Meaning("blocks", "the blocks are too large", METHOD),
    "ATTACH_ERROR": Meaning("blocks", "the portal cannot read the blocks", METHOD),
    "PARAMS_ERROR": Meaning("dead", _WRONG_PARAMETERS, METHOD),
    "ERROR_ARGUMENT": Meaning("dead", _WRONG_PARAMETERS, DOCS),
    "INVALID_ARG_VALUE": Meaning("dead", _WRONG_PARAMETERS, DOCS),
    "WRONG_ENCODING": Meaning("dead", "the portal cannot read the request's encoding", SERVER),
    "ERROR_BATCH_LENGTH_EXCEEDED": Meaning("later", "the batch was longer than the portal takes", BATCH),
    "ERROR_BATCH_METHOD_NOT_ALLOWED": Meaning("dead", "the method may not stand in a batch", BATCH),
}

# For an answer whose code is missing or unknown. A JSON error says that the request was refused; a web page of
# a front end (an HTML 502) says nothing about what happened behind it.
STATUSES: Mapping[int, Meaning] = {
    401: Meaning("closed", "the portal does not accept the credentials", HTTP),
    402: Meaning("closed", "the portal wants to be paid", HTTP),
    403: Meaning("closed", "the portal, or a firewall before it, denies access", HTTP),
    404: Meaning("closed", "there is no REST at this address: check the portal's address", HTTP),
    405: Meaning("closed", "there is no REST at this address: check the portal's address", HTTP),
    407: Meaning("closed", "the proxy wants credentials", HTTP),
    408: Meaning("down", "the portal gave up waiting for the request", HTTP),
    410: Meaning("closed", "the portal is gone", HTTP),
    413: Meaning("blocks", "the request is too large", HTTP),
    429: Meaning("rate", "too many requests", DOCS),
}


def by_status(status: int, *, enveloped: bool) -> Meaning:
    """What an HTTP status alone says. ``enveloped``: the body was the portal's own JSON error."""
    if status in STATUSES:
        return STATUSES[status]
    if 300 <= status < 400:
        return Meaning("closed", "the address redirects elsewhere: is it the portal's?", HTTP)
    if 400 <= status < 500:
        return Meaning("dead", _WRONG_PARAMETERS, HTTP)
    if enveloped:
        return Meaning("down", _FAULT, HTTP) if status >= 500 else Meaning("dead", _WRONG_PARAMETERS, DOCS)
    return Meaning("down", "the portal gave no answer of its own", HTTP, sent=True)

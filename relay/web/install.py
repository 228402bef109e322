"""The door for the portal itself: where it posts the first tokens when the application is installed there.

Never believes what is posted (`relay.installation` decides) and never answers with any of it.
"""

from __future__ import annotations

import threading
import time

from flask import Blueprint, Response, jsonify, request

from relay import installation, log
from relay.errors import TooLarge, UnsupportedMedia
from relay.house import House
from relay.installation import Unsettled

FORM = "application/x-www-form-urlencoded"
EVERY = 5.0  # seconds between two; each may cost two calls of the portal's pace, and anybody may post


def routes(house: House) -> Blueprint:
    """``POST /bitrix24/install``: the installation handler to enter in the application's card."""
    door = Blueprint("bitrix24", __name__)
    turnstile = _Turnstile()

    @door.post("/bitrix24/install")
    def install() -> Response:
        if request.mimetype != FORM:
            raise UnsupportedMedia(f"the portal posts {FORM}")
        fields = installation.read(_body())
        house.rules_file.follow()
        turnstile.pass_through()
        name = installation.accept(house.database, house.rules.portals, fields)
        log.line("install: tokens kept", portal=name)
        return jsonify(installed=True)

    return door


def _body() -> bytes:
    """The form, read by hand: a chunked body has no length to check before."""
    body = request.stream.read(installation.LIMIT + 1)
    if len(body) > installation.LIMIT:
        raise TooLarge(f"the form is larger than {installation.LIMIT} bytes")
    return body


class _Turnstile:
    """Lets one through every few seconds."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._open_at = 0.0

    def pass_through(self) -> None:
        """
        Raises:
            Unsettled: somebody has just gone through.
        """
        with self._guard:
            now = time.monotonic()
            if now < self._open_at:
                raise Unsettled("an installation was posted a moment ago; come again in a few seconds")
            self._open_at = now + EVERY

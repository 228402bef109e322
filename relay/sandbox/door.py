"""The portal's REST door: HTTP requests made into calls, replies made into HTTP answers.

Never decides anything: `Portal.answer` does.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable, Iterable
from typing import Any

from flask import Blueprint, Response, request

from relay.sandbox.gate import Key, key_of
from relay.sandbox.params import Params, from_json, from_pairs, from_query, merged
from relay.sandbox.php import encode
from relay.sandbox.portal import Call, Portal, Reply

ABORTED = struct.pack("ii", 1, 0)  # SO_LINGER: on, for no time: closing resets the connection


class HangUp(Response):
    """An answer that never comes: the connection ends without a byte."""

    def __init__(self, how: str) -> None:
        super().__init__()
        self._how = how

    def __call__(self, environ: Any, _start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Leave WSGI the only way there is, by an error that the server takes for a lost client."""
        connection = environ.get("werkzeug.socket")
        if self._how == "reset" and connection is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORTED)
        raise ConnectionAbortedError


def door(portal: Portal) -> Blueprint:
    """The routes under ``/rest/`` and ``/oauth/``."""
    routes = Blueprint("rest", __name__)

    @routes.route("/rest/<path:rest>", methods=["GET", "POST"])
    def rest(rest: str) -> Response:
        if rest == "api" or rest.startswith("api/"):
            return _third_version()
        return _answered(portal.answer(_call(rest, _params())))

    @routes.route("/oauth/token/", methods=["GET", "POST"])
    def token() -> Response:
        return _answered(portal.renew(_params(), _root()))

    @routes.get("/oauth/authorize/")
    def authorize() -> Response:
        return _answered(portal.allow(request.args.get("client_id", ""), request.args.get("state", ""), _root()))

    return routes


def _root() -> str:
    return request.host_url.rstrip("/")


def _call(rest: str, params: Params) -> Call:
    """``{user}/{secret}/{method}`` is a webhook's address, ``{method}`` an app's; any other shape is no method."""
    pieces = rest.removesuffix("/").split("/")
    bearer = request.headers.get("Authorization", "")
    token = bearer[len("Bearer ") :].strip() if bearer[: len("Bearer ")].lower() == "bearer " else ""
    if len(pieces) == 3:
        key = Key(user=pieces[0], secret=pieces[1], https=request.is_secure)
    else:
        key = key_of(params, bearer=token, https=request.is_secure)
    method = pieces[-1] if len(pieces) in {1, 3} else ""
    return Call(
        key=key,
        method=_bare(method),
        params=params,
        source=request.remote_addr or "",
        target=request.full_path if request.query_string else request.path,
    )


def _bare(method: str) -> str:
    """The method's name without the suffix that chooses a format; JSON is the only one here."""
    return method.lower().removesuffix(".json").removesuffix(".xml")


def _params() -> Params:
    query = from_query(request.query_string.decode("latin-1"))
    return merged(query, _body() if request.method == "POST" else {})


def _body() -> Params:
    raw = request.get_data(cache=True)
    kind = request.mimetype
    if kind == "application/json" or kind.endswith("+json"):
        return from_json(raw)
    if kind == "application/x-www-form-urlencoded":
        return from_query(raw.decode("utf-8", "replace"))
    return from_pairs(request.form.items(multi=True)) if kind == "multipart/form-data" else {}


def _third_version() -> Response:
    """REST 3.0 lives beside this one, and has none of these methods."""
    error = {"code": "BITRIX_REST_V3_EXCEPTION_METHODNOTFOUNDEXCEPTION", "message": "Method not found!"}
    return _answered(Reply(404, encode({"error": error})))


def _answered(reply: Reply) -> Response:
    if reply.gone:
        return HangUp(reply.gone)
    response = Response(reply.body, status=reply.status, content_type=reply.content_type)
    response.headers["Access-Control-Allow-Origin"] = "*"
    if reply.location:
        response.autocorrect_location_header = False
        response.headers["Location"] = reply.location
    return response

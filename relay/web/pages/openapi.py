"""The OpenAPI document of the pages' twins for scripts: put together from what each page says of its own.

Never written by a library from the code: what is promised to scripts is promised by hand, and tests hold the two
together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from flask import Blueprint, Response, jsonify

from relay import __version__

Operations = Mapping[str, Mapping[str, Any]]  # address → method → operation (OpenAPI 3.1 §4.8.9, §4.8.10)

NUMBER = {"type": "integer", "minimum": 1, "maximum": 2**53}
MOMENT = {"type": "string", "format": "date-time"}
MAYBE_MOMENT = {"anyOf": [MOMENT, {"type": "null"}]}
TEXT = {"type": "string"}


def routes(parts: Iterable[Operations]) -> Blueprint:
    """``GET /api/v1/openapi.json``, for whoever has signed in."""
    blueprint = Blueprint("openapi", __name__)
    whole = document([*parts, OPERATIONS])

    @blueprint.get("/api/v1/openapi.json")
    def read() -> Response:
        return jsonify(whole)

    return blueprint


def document(parts: Iterable[Operations]) -> dict[str, Any]:
    """The whole document."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Bitrix24 relay",
            "version": __version__,
            "description": "What the relay's pages show and do, for scripts. Show RELAY_ADMIN_TOKEN or "
            "RELAY_READER_TOKEN as a bearer token. Times are RFC 3339 in UTC.",
        },
        "security": [{"token": []}],
        "paths": {address: dict(methods) for part in parts for address, methods in part.items()},
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": {"Error": thing(error=TEXT)},
            "responses": {name: _refusal(sentence) for name, sentence in REFUSALS.items()},
        },
    }


REFUSALS = {
    "400": "A question or a body that cannot be understood",
    "401": "No bearer token, or a wrong one",
    "403": "A reader's token, and this changes something",
    "404": "There is no such thing",
    "409": "It cannot be done to this one now; the sentence says why",
    "413": "The body is too large",
    "415": "The body is not JSON, or does not say so",
    "429": "Too many wrong tokens from this address: wait for as long as Retry-After says",
    "503": "The database cannot be used just now",
}


def operation(
    summary: str,
    answer: Mapping[str, Any],
    *,
    parameters: Iterable[Mapping[str, Any]] = (),
    body: Mapping[str, Any] | None = None,
    refusals: Iterable[str] = (),
) -> dict[str, Any]:
    """One operation: what it answers with 200, and with which refusals beside those that every one may give."""
    found: dict[str, Any] = {
        "summary": summary,
        "parameters": list(parameters),
        "responses": {"200": {"description": "Done", "content": _json(answer)}}
        | {status: {"$ref": f"#/components/responses/{status}"} for status in ("401", "429", "503", *refusals)},
    }
    if body is not None:
        found["requestBody"] = {"required": True, "content": _json(body)}
    return found


def asked(name: str, schema: Mapping[str, Any], says: str) -> dict[str, Any]:
    """A parameter in the query."""
    return {"name": name, "in": "query", "schema": dict(schema), "description": says}


def in_path(name: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": dict(schema)}


def thing(**fields: Mapping[str, Any]) -> dict[str, Any]:
    """An object of which every field is there."""
    return {"type": "object", "properties": {name: dict(each) for name, each in fields.items()}, "required": [*fields]}


def many(of: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": dict(of)}


def maybe(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"anyOf": [dict(schema), {"type": "null"}]}


def _json(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": dict(schema)}}


def _refusal(sentence: str) -> dict[str, Any]:
    return {"description": sentence, "content": _json({"$ref": "#/components/schemas/Error"})}


OPERATIONS: Operations = {"/api/v1/openapi.json": {"get": operation("This document", {"type": "object"})}}

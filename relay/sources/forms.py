"""Bodies that are forms: `application/x-www-form-urlencoded` and `multipart/form-data`, and the JSON inside of them.

Never keeps a file that was uploaded with one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.http import parse_options_header
from werkzeug.sansio.multipart import Data, Epilogue, Field, MultipartDecoder, NeedData

from relay.errors import NotUnderstood
from relay.model import Request
from relay.sources import fields

URLENCODED, MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data"
MOST_FIELDS = 200


def document(request: Request, field: str = "") -> Any:
    """The JSON of a request: its body, or what a form holds.

    Args:
        field: the form's field that holds the JSON; without one, the form's fields are an object of texts.

    Raises:
        NotUnderstood: it is neither JSON nor a form, or the form has no such field.
    """
    form = read(request)
    if form is None:
        return fields.parse(request.body)
    if not field:
        return dict(form)
    if field not in form:
        raise NotUnderstood(f"the form has no field {field}")
    return fields.parse(form[field].encode())


def read(request: Request) -> Mapping[str, str] | None:
    """The fields of a form, the first of each name; ``None`` for a body that is none.

    A JSON object or list that says it is a form is none: so does `curl --data`.

    Raises:
        NotUnderstood: the form cannot be read.
    """
    content_type = request.headers.get("content-type", "")
    if "form" not in content_type.lower():  # as of nearly all: their options need not be read
        return None
    media_type, options = parse_options_header(content_type)
    media_type = media_type.strip().lower()
    try:
        if media_type == URLENCODED and request.body.lstrip()[:1] not in (b"{", b"["):
            found = _urlencoded(request.body)
        elif media_type == MULTIPART:
            found = _multipart(request.body, options.get("boundary", ""))
        else:
            return None
    except (ValueError, RequestEntityTooLarge):  # not UTF-8, too many fields, parts that do not end
        raise NotUnderstood("the form cannot be read") from None
    return {fields.clean(name): fields.clean(value) for name, value in reversed(found)}


def _urlencoded(body: bytes) -> list[tuple[str, str]]:
    return parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)


def _multipart(body: bytes, boundary: str) -> list[tuple[str, str]]:
    """RFC 7578."""
    decoder = MultipartDecoder(boundary.encode("latin-1", "replace"), max_parts=MOST_FIELDS)
    decoder.receive_data(body)
    decoder.receive_data(None)
    found: list[tuple[str, bytes]] = []
    taken = False  # whether the part at hand is a field, and not a file
    while not isinstance(event := decoder.next_event(), Epilogue | NeedData):
        if isinstance(event, Data) and taken:
            name, value = found[-1]
            found[-1] = (name, value + event.data)
        elif not isinstance(event, Data):
            taken = isinstance(event, Field) and bool(event.name)  # without a name it is none (RFC 7578 §4.2)
            found += [(event.name, b"")] if isinstance(event, Field) and taken else []
    return [(name, value.decode()) for name, value in found]

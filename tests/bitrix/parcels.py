"""Parcels for the tests, with as little said as each test needs."""

from __future__ import annotations

from typing import Any

from relay.model import Message, Parcel


def parcel(number: int = 1, *, attempts: int = 0, plain: bool = False, **words: Any) -> Parcel:
    message = {"user_id": 17, "text": "hello", "tag": "", "key": f"key-{number}", **words}
    return Parcel(
        id=number,
        message=Message(portal="main", person="ivan", rule="r", **message),
        attempts=attempts,
        plain=plain,
    )

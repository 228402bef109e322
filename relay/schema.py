"""What every piece of the rules file is made of: the strict base model, and the types of secrets in it.

Knows no key of the file: each room describes its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator, WithJsonSchema

from relay.settings import Secret


class Part(BaseModel):
    """A piece of the rules file: unknown keys are faults, and it does not change once it is read."""

    # Inputs are hidden in errors, for they may be secrets.
    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True, hide_input_in_errors=True)


def secrets_in(value: object) -> Iterator[Secret]:
    """Every secret in a piece of the rules, or in several."""
    if isinstance(value, Secret):
        yield value
    elif isinstance(value, Part):
        yield from secrets_in([getattr(value, name) for name in type(value).model_fields])
    elif isinstance(value, Iterable) and not isinstance(value, str | bytes | Mapping):
        for each in value:
            yield from secrets_in(each)


_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_DURATION = re.compile(r"(?:[0-9]+[smhdw])+")
_LONGEST = 400 * 86400  # seconds; nothing here is remembered longer


def seconds(value: object) -> float:
    """``90``, ``"90s"`` and ``"1m30s"`` are 90.0.

    Raises:
        ValueError: it is no length of time.
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    if not isinstance(value, str) or not _DURATION.fullmatch(value):
        raise ValueError("is neither a number of seconds nor a time such as 5m")
    return sum(int(count) * _UNITS[unit] for count, unit in re.findall(r"([0-9]+)([smhdw])", value))


Duration = Annotated[
    float,
    Field(ge=0, le=_LONGEST),
    BeforeValidator(seconds),
    WithJsonSchema({"anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "pattern": "^([0-9]+[smhdw])+$"}]}),
]


def _secret(value: object) -> Secret:
    if isinstance(value, Secret):
        return value
    if not isinstance(value, str):
        raise ValueError("must be text")
    if not value.strip():
        raise ValueError("is empty: give the secret, usually as ${NAME} from the environment")
    return Secret(value)


def _listed(value: object) -> Any:
    return value if isinstance(value, list | tuple) else [value]


SecretText = Annotated[Secret, PlainValidator(_secret), WithJsonSchema({"type": "string", "writeOnly": True})]

# One secret or several: while a secret is being changed on the sender's side, both are good.
Secrets = Annotated[
    tuple[SecretText, ...],
    BeforeValidator(_listed),
    Field(min_length=1),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]}),
]

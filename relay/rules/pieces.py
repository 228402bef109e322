"""One piece of the rules file against its pydantic model: every fault in it complained of, what is good kept.

Never looks beyond the piece.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from relay.rules.complaints import Complaints
from relay.rules.document import Path
from relay.rules.environment import has_reference
from relay.rules.sentences import faults
from relay.settings import Secret

Model = TypeVar("Model", bound=BaseModel)


def validated(model: type[Model], data: Any, path: Path, complaints: Complaints) -> Model | None:
    """The piece as its model; without its bad keys where there are some, so that what leans on it can be checked.

    Returns:
        ``None`` when nothing is left that the model could be made of.
    """
    if not isinstance(data, dict):
        complaints.error(path, "must be a mapping (key: value)")
        return None
    try:
        return model.model_validate(data)
    except ValidationError as error:
        found = list(faults(error, model, data))
    for fault in found:
        tell = complaints.key if fault.is_key else complaints.error
        tell((*path, *fault.path), fault.sentence)
    bad = {fault.path[0] for fault in found if fault.path}
    try:
        return model.model_validate({key: value for key, value in data.items() if key not in bad})
    except ValidationError:
        return None


def in_clear(piece: BaseModel, raw: Any) -> Iterator[Path]:
    """The paths of secrets that stand in the file themselves instead of ``${NAME}``."""
    for name, field in type(piece).model_fields.items():
        key = field.alias or name
        if isinstance(raw, dict) and key in raw:
            yield from ((key, *path) for path in _in_clear(getattr(piece, name), raw[key]))


def _in_clear(value: Any, raw: Any) -> Iterator[Path]:
    if isinstance(value, BaseModel):
        yield from in_clear(value, raw)
    elif isinstance(value, tuple) and isinstance(raw, list):
        for index, (each, each_raw) in enumerate(zip(value, raw, strict=False)):
            yield from ((index, *path) for path in _in_clear(each, each_raw))
    elif isinstance(value, tuple):
        for each in value:
            yield from _in_clear(each, raw)
    elif isinstance(value, Secret) and isinstance(raw, str) and not has_reference(raw):
        yield ()

"""pydantic's errors → plain sentences at the path of the value they are about; and «did you mean».

Never repeats a value: it may be a secret in the wrong place.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from relay.rules.document import Path

_SENTENCES: Mapping[str, str] = {  # pydantic's error type → what the value should be
    "string_type": "must be text: quote it",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "list_type": "must be a list",
    "tuple_type": "must be a list",
    "dict_type": "must be a mapping (key: value)",
    "mapping_type": "must be a mapping (key: value)",
    "model_type": "must be a mapping (key: value)",
    "model_attributes_type": "must be a mapping (key: value)",
    "missing": "is missing",
    "greater_than": "must be more than {gt:g}",
    "greater_than_equal": "must be at least {ge:g}",
    "less_than": "must be less than {lt:g}",
    "less_than_equal": "must be at most {le:g}",
    "too_short": "needs at least {min_length}",
    "too_long": "takes at most {max_length}",
    "string_too_short": "needs at least {min_length} characters",
    "string_too_long": "takes at most {max_length} characters",
    "string_pattern_mismatch": "is not of the form {pattern}",
}


@dataclass(frozen=True, slots=True)
class Fault:
    path: Path
    sentence: str
    is_key: bool = False  # the key itself is the fault


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The end of a sentence about an unknown word: the nearest known one, or all of them when they are few."""
    names = sorted(set(known))
    near = difflib.get_close_matches(word.casefold(), names, n=1, cutoff=0.6)
    if near:
        return f"; did you mean {near[0]}?"
    return f"; known: {', '.join(names)}" if 0 < len(names) <= 20 else ""


def faults(error: ValidationError, model: type[BaseModel], data: Any) -> Iterator[Fault]:
    """One fault for each place; the branches of a union are told as one."""
    unions: dict[Path, list[ErrorDetails]] = {}
    for detail in error.errors(include_url=False, include_input=False):
        path, branch = _in_data(detail["loc"], data, missing=detail["type"] == "missing")
        if branch is None:
            yield _fault(detail, path, model)
        else:
            unions.setdefault(path[:branch], []).append(detail)
    for path, details in unions.items():
        yield from _of_union(details, path, model, data)


def _in_data(loc: Sequence[str | int], data: Any, *, missing: bool) -> tuple[Path, int | None]:
    """The part of pydantic's path that is a path of the file, and where in it a union's branch was named."""
    path: list[str | int] = []
    branch = None
    for position, step in enumerate(loc):
        last = position == len(loc) - 1
        if _has(data, step):
            data = data[step]
        elif not (last and missing):
            branch = len(path) if branch is None else branch
            continue
        path.append(step)
    return tuple(path), branch


def _has(data: Any, step: str | int) -> bool:
    return step in data if isinstance(data, dict) else isinstance(data, list) and step in range(len(data))


def _of_union(details: list[ErrorDetails], path: Path, model: type[BaseModel], data: Any) -> Iterator[Fault]:
    """A mapping was meant as the branch that takes mappings: its faults are the ones to tell. Else one sentence."""
    value = data
    for step in path:
        value = value[step]
    within = [detail for detail in details if detail["type"] in ("missing", "extra_forbidden") or _deeper(detail, path)]
    if isinstance(value, dict | list) and within:
        for detail in within:
            inside, _ = _in_data(detail["loc"], data, missing=detail["type"] == "missing")
            yield _fault(detail, inside, model)
        return
    sentences = list(dict.fromkeys(_sentence(detail) for detail in details))
    special = [sentence for sentence in sentences if not sentence.startswith("must be ")]
    expected = [sentence.removeprefix("must be ") for sentence in sentences]
    yield Fault(path, special[0] if special else "must be " + ", or ".join(expected))


def _deeper(detail: ErrorDetails, path: Path) -> bool:
    return len(detail["loc"]) > len(path) + 1


def _fault(detail: ErrorDetails, path: Path, model: type[BaseModel]) -> Fault:
    if detail["type"] == "extra_forbidden":
        known = _keys_at(model, detail["loc"][:-1])
        return Fault(path, f"unknown key {path[-1]}{did_you_mean(str(path[-1]), known)}", is_key=True)
    return Fault(path, _sentence(detail))


def _sentence(detail: ErrorDetails) -> str:
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "value_error":
        return str(context.get("error", detail["msg"]))
    if kind == "literal_error":
        return "must be " + str(context.get("expected", "")).replace("'", "")
    if kind in _SENTENCES:
        return _SENTENCES[kind].format_map(context)
    return detail["msg"]


def _keys_at(model: type[BaseModel], loc: Sequence[str | int]) -> set[str]:
    """The keys that the model (or any model of a union) takes at ``loc``."""
    here: list[type[BaseModel]] = [model]
    for step in loc:
        fields = [field for each in here for name, field in each.model_fields.items() if step in (name, field.alias)]
        if fields:
            here = [inner for field in fields for inner in _models_in(field.annotation)]
    return {field.alias or name for each in here for name, field in each.model_fields.items()}


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models_in(part)

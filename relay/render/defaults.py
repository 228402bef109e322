"""The built-in templates: what an event says where the rules name no template of their own.

Never chosen by anything but the event's type, name and action, and the reader's language. They are written in the
same language as everybody's templates, in the files of builtin/, one language each.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

import yaml

from relay.model import Event
from relay.render.blocks import TemplateSpec
from relay.render.reader import Locale
from relay.render.template import Template, compile_template

FILES = ("{}.yaml", "github.{}.yaml")


def default_template(event: Event, locale: Locale) -> Template:
    """The nearest built-in template: `github.pull_request.closed`, `github.pull_request`, `github`, `any`."""
    specs = load(locale)
    keys = (f"{event.type}.{event.event}.{event.action}", f"{event.type}.{event.event}", event.type)
    return compiled(locale, next((key for key in keys if key in specs), "any"))


@functools.cache
def load(locale: Locale) -> Mapping[str, Any]:
    """The templates of one language, as its files say them. Keys that begin with a dot only lend their parts."""
    found: dict[str, Any] = {}
    for name in FILES:
        text = files("relay.render").joinpath("builtin", name.format(locale)).read_text(encoding="utf-8")
        found |= yaml.safe_load(text)
    return {key: value for key, value in found.items() if not key.startswith(".")}


@functools.cache
def compiled(locale: Locale, key: str) -> Template:
    """One of them, compiled when it is first wanted; those that are one in the file (`*alias`) are one here.

    Raises:
        ValueError: the file has a fault, which the tests would have found.
    """
    templates = load(locale)
    return _compiled(locale, next(name for name, spec in templates.items() if spec is templates[key]))


@functools.cache
def _compiled(locale: Locale, key: str) -> Template:
    return compile_template(TemplateSpec.model_validate(load(locale)[key]), functools.partial(_refuse, locale, key))


def _refuse(locale: Locale, key: str, path: tuple[str | int, ...], sentence: str) -> None:
    raise ValueError(f"builtin, {locale}: {key}.{'.'.join(map(str, path))}: {sentence}")

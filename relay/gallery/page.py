"""The gallery: one page of HTML that shows what people get of every event, in all languages side by side.

Never asks for anything from outside: no script, no picture, no font, and its styles stand in it. The notifications are
drawn by the stand-in portal's own templates, which escape whatever is text.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.resources import files
from itertools import groupby
from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from relay.gallery.exhibit import LOCALES, Exhibit, people
from relay.render.reader import Locale
from relay.sandbox import views, words


@dataclass(frozen=True, slots=True)
class Panel:
    """A notification in one language, drawn by that language's own templates."""

    locale: Locale
    html: Markup
    note: str


def page(exhibits: Iterable[Exhibit]) -> str:
    """The whole page. Exhibits of one sender stand together, in the order in which they are given."""
    shown = list(exhibits)
    environments = {locale: _environment(locale) for locale in LOCALES}
    rows = [{"exhibit": one, "people": people(one.event), "panels": _panels(one, environments)} for one in shown]
    senders = [(sender, list(found)) for sender, found in groupby(rows, key=_sender)]
    template = environments["en"].get_template("gallery.html")
    return template.render(senders=senders, count=len(shown), style=_style())


def _sender(row: dict[str, Any]) -> str:
    exhibit: Exhibit = row["exhibit"]
    return exhibit.event.type


def _panels(one: Exhibit, environments: dict[Locale, Environment]) -> list[Panel]:
    found = []
    for locale, wording in one.wordings.items():
        text, attach = views.drawn(wording.text, dict(wording.attach) if wording.attach else None)
        html = environments[locale].get_template("notification.html").render(text=text, attach=attach)
        found.append(Panel(locale, Markup(html), wording.note))  # noqa: S704 - a template of ours made it
    return found


def _environment(locale: Locale) -> Environment:
    """Our templates, and the stand-in portal's, with that portal's words in one language."""
    loader = ChoiceLoader([PackageLoader("relay.gallery"), PackageLoader("relay.sandbox")])
    made = Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined)

    def stamp(unix: int, form: str) -> str:
        return words.stamp(locale, datetime.fromtimestamp(unix, UTC), form)

    made.globals |= {"words": words.WORDS[locale], "names": {}, "stamp": stamp}
    return made


def _style() -> Markup:
    """The stand-in portal's styles and the gallery's own: both files are ours, and hold no closing tag."""
    sheets = [files("relay.sandbox") / "static" / "page.css", files("relay.gallery") / "templates" / "gallery.css"]
    return Markup("\n".join(sheet.read_text(encoding="utf-8") for sheet in sheets))  # noqa: S704 - as said

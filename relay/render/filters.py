"""The filters of the template language: all that a template may do to a value, each bounded in what it can make.

Never lets a stranger's words become markup: what is made of them carries its markup beside them.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from jinja2 import Environment, pass_context
from jinja2.filters import FILTERS
from jinja2.runtime import Context as Scope

from relay.render import colour
from relay.render.address import clean_address
from relay.render.bbcode import BB, Piece, Rich, Words, one_line
from relay.render.markdown import link as linked
from relay.render.markdown import markdown as from_markdown
from relay.render.meter import MAX_ITEMS, MAX_TEXT
from relay.render.reader import short_time
from relay.render.values import joined, read

# Jinja's own that are linear in what they are given and make no more than that of it.
_OF_JINJA = (
    "abs capitalize count d default first float int last length list lower map max min reject rejectattr reverse "
    "select selectattr sort string title trim unique upper urlencode"
)


def markdown(value: Any, limit: int | None = None) -> Rich:
    """Markdown as BB-code; with a limit by whole blocks."""
    return from_markdown(read(value), limit)


@pass_context
def time(scope: Scope, value: Any) -> str:
    """An RFC 3339 time on the reader's clock: `23 Nov 10:15`."""
    return short_time(read(value), scope["person"])


def cut(value: Any, length: int = 100) -> Rich:
    """At most ``length`` characters, with «…» where something is left out. What is cut loses its markup."""
    text = read(value)
    if len(text) <= length:
        return text
    return Rich((Words(text[: max(0, length - 1)].rstrip() + "…"),))


def plain(value: Any) -> str:
    """Only the words of it, on one line: a comment's beginning in a sentence."""
    return one_line(read(value)).strip()


def plural(number: Any, one: str, few: str, many: str | None = None) -> str:
    """The word that goes with a number: two forms as in English, three as in Russian (CLDR plural rules)."""
    count = abs(int(number or 0))
    if many is None:
        return one if count == 1 else few
    if count % 10 == 1 and count % 100 != 11:
        return one
    return few if 2 <= count % 10 <= 4 and not 12 <= count % 100 <= 14 else many


def url(value: Any) -> Rich:
    """The address if it can be followed safely (http, https), else nothing."""
    return Rich((BB(clean_address(read(value))),))


def link(value: Any, text: Any = "") -> Rich:
    """`{{ event.url | link(event.title) }}`: the text leading to the address; the text alone where there is none."""
    return Rich(linked(read(value), read(text)))


def bold(value: Any) -> Rich:
    """In bold; nothing stays nothing."""
    return _wrapped(value, "b")


def code(value: Any) -> Rich:
    """As a block of code, line breaks kept; nothing stays nothing."""
    return _wrapped(value, "code")


def light(severity: Any) -> str:
    """🔴, 🟠 or 🔵 by the word for a severity; 🔴 where it is none or unknown."""
    return colour.light(str.__str__(read(severity)))


def _wrapped(value: Any, tag: str) -> Rich:
    pieces = read(value).pieces
    return Rich((BB(f"[{tag}]"), *pieces, BB(f"[/{tag}]"))) if pieces else Rich(())


def join(values: Iterable[Any], separator: str = "") -> Rich:
    """Values one after another; empty ones are left out."""
    return joined(values, separator)


def concat(values: Iterable[Any]) -> Rich:
    """What `~` does, up to ``MAX_TEXT`` characters: no sender can make a template fail by writing much."""
    pieces: list[Piece] = []
    room = MAX_TEXT
    for piece in (piece for value in values for piece in read(value).pieces):
        pieces.append(piece if len(piece) <= room else Words(piece[:room]) if isinstance(piece, Words) else BB(""))
        room -= len(piece)
        if room <= 0:
            break
    return Rich(pieces)


def replace(value: Any, old: str, new: str) -> str:
    """Every ``old`` made ``new``, up to ``MAX_TEXT`` characters."""
    text = str.__str__(read(value))[:MAX_TEXT]
    return text.replace(old, new, MAX_TEXT // (len(new) + 1))[:MAX_TEXT] if old else text


def rounded(value: Any, digits: int = 0) -> float:
    """A number with that many decimals."""
    number = round(float(value or 0), max(0, min(digits, 15)))
    return int(number) if digits <= 0 else number


def items(value: Any) -> list[tuple[Any, Any]]:
    """The names and values of an object; of anything else, none."""
    return list(itertools.islice(value.items(), MAX_ITEMS)) if isinstance(value, Mapping) else []


@pass_context
def counted(scope: Scope, values: Any) -> Any:
    """What every loop runs over: each turn costs a step."""
    return scope["_meter"].count(values or ())


def safe(value: Any) -> Any:
    """Nothing by itself: where it follows a text in quotation marks, the compiler puts `trusted` in its place."""
    return value


def trusted(value: str) -> Rich:
    """Markup that the template's author wrote."""
    return Rich((BB(value),))


OWN: Mapping[str, Callable[..., Any]] = {
    "markdown": markdown,
    "time": time,
    "cut": cut,
    "plain": plain,
    "plural": plural,
    "url": url,
    "link": link,
    "bold": bold,
    "code": code,
    "light": light,
    "join": join,
    "replace": replace,
    "round": rounded,
    "items": items,
    "safe": safe,
}
# The compiler puts these where a template says `~`, `for` and `"…" | safe`; no template can name them.
INNER: Mapping[str, Callable[..., Any]] = {"~": concat, "for …": counted, "safe …": trusted}


def install(environment: Environment) -> None:
    """Give the environment these filters and no others."""
    environment.filters = {name: FILTERS[name] for name in _OF_JINJA.split()} | dict(OWN) | dict(INNER)

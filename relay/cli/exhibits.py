"""Folders of fixtures, read for the gallery: each file with the options of the source that it is from.

Never verifies a request, and never journals one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from relay import fixture
from relay.errors import Refused, RelayError
from relay.gallery import Exhibit, exhibit
from relay.model import Event
from relay.rules import Rules
from relay.sources import SENDERS
from relay.sources.options import SourceOptions

HOUSE = Path("tests/fixtures")
SOURCES = "sources.yaml"  # in a folder of fixtures: how its sources are set up, by folder or by folder/name


@dataclass(frozen=True, slots=True)
class Unread:
    """A fixture of which nothing can be shown, and why."""

    path: Path
    why: str


def exhibits(folder: Path, rules: Rules | None) -> Iterator[Exhibit | Unread]:
    """Every fixture below a folder, in the order of their names.

    What a fixture's source is says the folder's ``sources.yaml``; else a folder called as a type of sender; else
    ``rules``, by the fixture's path ``/in/<source>``.

    Raises:
        RelayError: the folder or its sources cannot be read.
    """
    if not folder.is_dir():
        raise RelayError(f"{folder} is no folder of fixtures")
    own = sources(folder / SOURCES)
    for path in sorted(folder.rglob("*.http")):
        name = path.relative_to(folder).with_suffix("").as_posix()
        try:
            events = read(path, name, own, rules)
        except (Refused, RelayError) as fault:
            yield Unread(path, str(fault))
            continue
        for nth, event in enumerate(events):
            yield exhibit(f"{name}#{nth + 1}" if len(events) > 1 else name, event)


def sources(path: Path) -> Mapping[str, Any]:
    """The options of sources by folder or by folder/name; none where there is no such file."""
    if not path.exists():
        return {}
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, yaml.YAMLError):
        raise RelayError(f"{path} cannot be read as YAML") from None
    return found if isinstance(found, dict) else {}


def read(path: Path, name: str, own: Mapping[str, Any], rules: Rules | None) -> tuple[Event, ...]:
    """The events of one fixture.

    Raises:
        RelayError: it is no request, or nothing says what its source is.
        Refused: its source cannot understand it.
    """
    request = fixture.parse(path.read_bytes())
    source = request.path.partition("?")[0].rpartition("/")[2]
    options = _options(name, source, own, rules)
    if options is None:
        raise RelayError(f"nothing says what its source {source!r} is: name the folder by the sender's type")
    return SENDERS[options.type].read(source, options, request).events


def _options(name: str, source: str, own: Mapping[str, Any], rules: Rules | None) -> SourceOptions | None:
    folder = name.partition("/")[0]
    if said := own.get(name) or own.get(folder):
        return SENDERS[said["type"]].options.model_validate(said)
    if folder in SENDERS:
        return SENDERS[folder].options.model_validate({"type": folder, "open": True})
    return rules.sources.get(source) if rules else None

"""Rules tried before they are in force: a text of rules and a request, decided by the very functions that decide.

Never sends or writes anything, never reads a secret, and includes no file but rules beside those in force.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from relay import fixture, router
from relay.errors import Complaint, Refused
from relay.fixture import BadFixture
from relay.model import Request
from relay.rules import Decision, Memory, Rules, lint
from relay.rules.including import CannotInclude, Found, Reader
from relay.rules_on_disk import RulesOnDisk
from relay.schema import secrets_in
from relay.store.journal import Entry
from relay.trial import Comparison, Course

_NAME_OF_HOST = re.compile(r"[\w-]+(\.[\w-]+)+")
# These stand for a secret that is written in the rules themselves: for an address, and for any other.
HIDDEN, _HIDDEN_PART = "${HIDDEN}", "${HIDDEN_PART}"
_OTHER_WEBHOOK = re.compile(r"(/rest/[0-9]+/)[\w-]+")  # in a comment, say; Bitrix24 REST docs, «Local webhooks»
_HOST = "hidden.invalid"  # RFC 6761 §6.4: never resolved
_ADDRESS = f"https://{_HOST}/rest/1/hidden/"  # has the form of a webhook's address


class Placeholders(Mapping[str, str]):
    """An environment in which every name has a meaningless value: what is tried here must know no secret.

    It has the form of the true one, or good rules would be refused: a webhook's address, a part of it, and a secret
    of Standard Webhooks, which is base64, cannot all be written in one way.

    Args:
        env: the true one, if it is known.
    """

    def __init__(self, env: Mapping[str, str] | None = None) -> None:
        self._env = env or {}

    def __getitem__(self, name: str) -> str:
        true = self._env.get(name, "" if name == "HIDDEN_PART" else "://")
        if "://" in true:
            return _ADDRESS
        if true.isascii() and true.isdigit():
            return "1111"
        return _HOST if _NAME_OF_HOST.fullmatch(true) else "hidden"

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str)

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What came out. ``complaints`` are of the rules; ``why_not`` says why the request cannot be decided by them."""

    complaints: Sequence[Complaint] = ()
    rules: Rules | None = None
    entry: Entry | None = None
    decisions: Sequence[Decision] = ()
    why_not: str = ""


def shown(text: str, rules: Rules) -> str:
    """The text of rules for people who may look: secrets that are written in it, and not referred to, are hidden."""
    calendars = [each.ical for each in rules.oncall.values() if each.ical and "://" in each.ical.reveal()]
    found = {secret.reveal() for secret in secrets_in((rules.sources.values(), rules.portals.values(), calendars))}
    for secret in sorted(found, key=len, reverse=True):
        if secret:
            stands = HIDDEN if "://" in secret else _HIDDEN_PART
            text = re.sub(rf"(?<!\w){re.escape(secret)}(?!\w)", stands, text)
    return _OTHER_WEBHOOK.sub(rf"\g<1>{_HIDDEN_PART}", text)


def check(text: str, path: Path, env: Mapping[str, str] | None = None) -> lint.Checked:
    """Rules as a text, with every complaint and finding. ``path`` is the file in force, beside which others stand;
    ``env`` the environment, of which no value is used."""
    return lint.check(text, env=Placeholders(env), file=path.name, reader=_beside(path))


def try_out(entry: Entry, rules: Rules, now: datetime) -> Tried:
    """Decide a request by rules, as if nothing had come before it."""
    try:
        decisions = router.decisions_on(entry, rules, Memory(), now)
    except Refused as fault:
        return Tried(rules=rules, entry=entry, why_not=str(fault))
    return Tried(rules=rules, entry=entry, decisions=tuple(decisions))


def request(text: str, source: str) -> Entry:
    """A pasted request: a whole one, as a fixture is, or its JSON alone, posted to ``source``.

    Raises:
        BadFixture: it is neither.
    """
    if text.lstrip()[:1] in ("{", "["):
        headers = {"content-type": "application/json"}
        body = text.strip().encode("utf-8", "replace")
        return router.unjournalled(Request(method="POST", path=f"/in/{source}", headers=headers, body=body))
    if not text.strip():
        raise BadFixture("paste a request: its JSON, or all of it with its headers")
    # A browser gives a text's lines the ends of a form (HTML, «normalize newlines»); a body is to be as it was.
    return router.unjournalled(fixture.parse(text.replace("\r\n", "\n").encode("utf-8", "replace")))


def compare(old: Rules, new: Rules, entries: Iterable[Entry]) -> Comparison:
    """Who would have been told otherwise of these events (the oldest first)."""
    comparison = Comparison(Course(old), Course(new), examples=3)
    for entry in entries:
        comparison.take(entry)
    comparison.end()
    return comparison


def _beside(path: Path) -> Reader:
    """Reads rules in the folder of those in force and below, and nothing else: whoever tries rules need not be the
    machine's owner, and complaints tell of what was read."""
    home, disk = path.resolve().parent, RulesOnDisk(path)

    def read(pattern: str, beside: str) -> Sequence[Found]:
        of = str(path) if beside == path.name else beside
        wanted = (Path(of).parent / pattern).resolve()
        if not wanted.is_relative_to(home) or wanted.suffix not in (".yaml", ".yml"):
            raise CannotInclude("here only .yaml files below the folder of the rules in force can be included")
        found = disk.include(pattern, of)
        if any(not Path(each.name).resolve().is_relative_to(home) for each in found):
            raise CannotInclude("here only files below the folder of the rules in force can be included")
        return found

    return read

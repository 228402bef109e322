"""The command `relay render`: an event in the words that people would get, or all fixtures as a page to look at.

Never sends anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from relay import gallery, house, router
from relay.cli import context, exhibits
from relay.cli.exhibits import HOUSE, Unread
from relay.cli.rules import meant
from relay.errors import RelayError
from relay.model import Event, Message
from relay.render import colour
from relay.render.filters import plural
from relay.render.reader import Locale
from relay.rules import Memory, Person, Rule, Rules
from relay.rules.addressing import addressees
from relay.rules.deciding import Decision
from relay.rules.people import actor_of
from relay.rules.rulebook import BY_ITSELF
from relay.rules.sentences import did_you_mean
from relay.rules.wording import worded

ANYBODY = Person(name="(nobody is told)")  # for whom an event is worded that nobody would get


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is wanted other than the rules have it: ``None`` leaves it to them."""

    rule: Rule | None
    person: Person | None
    locale: Locale | None


@click.command()
@click.argument("what", metavar="[FIXTURE]", required=False)
@click.option("--rule", default="", help="in the words of this rule, whether it matches or not")
@click.option("--person", default="", help="as this person would read it: a name, a login, an e-mail or a portal id")
@click.option("--locale", type=click.Choice(gallery.LOCALES), help="in this language")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--rules", "path", type=click.Path(path_type=Path), help="ask another rules file")
@click.option("--all", "everything", is_flag=True, help="every fixture, as a page of HTML to look at: the gallery")
@click.option("--to", type=click.Path(path_type=Path), default=Path("gallery"), help="the gallery's folder")
@click.option("--fixtures", "folders", multiple=True, type=click.Path(path_type=Path), help="further fixtures for it")
def render(
    what: str | None,
    *,
    rule: str,
    person: str,
    locale: Locale | None,
    as_json: bool,
    path: Path | None,
    everything: bool,
    to: Path,
    folders: Sequence[Path],
) -> None:
    """Show an event in words, without sending it: text, blocks, tag, and who gets it.

    FIXTURE is a file that holds a whole HTTP request, or the number of a journalled event. With --all instead, a page
    with every event in both languages is written: of tests/fixtures, if it is here, and of the folders that --fixtures
    names.
    """
    if everything == bool(what):
        raise click.UsageError("give a fixture, or --all")
    if what is None:
        hang(to, [*([HOUSE] if HOUSE.is_dir() else []), *folders], path)
        return
    rules = context.live(context.configured(path)[1])
    entry = context.entry(what)
    events = router.understand(entry, rules)
    now = datetime.fromtimestamp(entry.received_at, UTC) if entry.id else datetime.now(UTC)
    decisions = router.decisions_on(entry, rules, Memory(), now)
    asked = Asked(
        rule=rule_of(rules, rule) if rule else None,
        person=meant(person, events[0].type, rules) if person else None,
        locale=locale,
    )
    found = [
        (event, messages(event, decision, rules, asked, now)) for event, decision in zip(events, decisions, strict=True)
    ]
    if as_json:
        context.print_json([shown(event, told) for event, told in found])
    else:
        click.echo("\n\n".join("\n".join(lines(event, told)) for event, told in found))


# ── One event ─────────────────────────────────────────────────────────────────────────────────────────────────


def rule_of(rules: Rules, name: str) -> Rule:
    """The rule of that name.

    Raises:
        RelayError: there is none.
    """
    known = {rule.name: rule for rule in rules.every()}
    if name not in known:
        raise RelayError(f"no rule has that name{did_you_mean(name, known)}")
    return known[name]


def messages(event: Event, decision: Decision, rules: Rules, asked: Asked, now: datetime) -> list[Message]:
    """What the rules would send, each worded anew as it was asked for; one for nobody, where nobody is told."""
    found = [worded(event, *words, now) for words in _pairs(event, decision, rules, asked, now)]
    return found or [worded(event, "", BY_ITSELF, _as_asked(asked.person or ANYBODY, asked), now)]


def _pairs(
    event: Event, decision: Decision, rules: Rules, asked: Asked, now: datetime
) -> Iterator[tuple[str, Any, Person]]:
    """By which rule, in whose words, to whom."""
    told = {(message.rule, message.person) for message in decision.messages}
    for rule in [asked.rule] if asked.rule else decision.route.answers:
        if asked.person:
            persons: Iterable[Person] = [asked.person]
        else:
            named = addressees(rule.telling, event, rules.roster(now), actor_of(event, rules.directory)).persons
            persons = [each for each in named.values() if asked.rule or (rule.name, each.name) in told]
        for person in persons:
            yield rule.name, rule.telling, _as_asked(person, asked)


def _as_asked(person: Person, asked: Asked) -> Person:
    return replace(person, locale=asked.locale) if asked.locale else person


def lines(event: Event, told: Sequence[Message]) -> Iterator[str]:
    """For a terminal: the event's facts, then each message."""
    facts = [".".join(filter(None, (event.event, event.action))), event.state, event.severity, event.conclusion]
    yield f"{event.source}: {', '.join(filter(None, facts))}{', draft' if event.draft else ''}"
    for role, names in gallery.people(event).items():
        yield f"  {role}: {', '.join(names)}"
    for message in told:
        yield ""
        by = f" by «{message.rule}»" if message.rule else ""
        yield f"→ {message.person}{by}, tag {message.tag or '(none)'}"
        yield from (f"  {line}" for line in gallery.message_lines(message.text, message.attach, message.note))


def shown(event: Event, told: Sequence[Message]) -> dict[str, Any]:
    return {
        "source": event.source,
        "event": event.event,
        "action": event.action,
        "state": event.state,
        "severity": event.severity,
        "conclusion": event.conclusion,
        "colour": colour.of(event),
        "key": event.key,
        "people": gallery.people(event),
        "messages": [
            {
                "person": message.person if message.person != ANYBODY.name else None,
                "rule": message.rule or None,
                "tag": message.tag,
                "text": message.text,
                "attach": message.attach,
                "note": message.note,
            }
            for message in told
        ],
    }


# ── The gallery ───────────────────────────────────────────────────────────────────────────────────────────────


def hang(to: Path, folders: Sequence[Path], path: Path | None) -> None:
    """Write the gallery of several folders of fixtures into a folder.

    Raises:
        RelayError: there is nothing to show, or it cannot be written.
    """
    if not folders:
        raise RelayError(f"there is no {HOUSE} here: name a folder with --fixtures")
    rules = house.read_rules(path, house.environment()) if path else None
    found = [one for folder in folders for one in exhibits.exhibits(folder, rules)]
    seen = [one for one in found if not isinstance(one, Unread)]
    for one in found:
        if isinstance(one, Unread):
            click.echo(f"{one.path}: {one.why}", err=True)
    try:
        to.mkdir(parents=True, exist_ok=True)
        (to / "index.html").write_text(gallery.page(sorted(seen, key=lambda one: one.event.type)), encoding="utf-8")
    except OSError as fault:
        raise RelayError(f"{to} cannot be written: {fault.strerror}") from None
    click.echo(f"{len(seen)} {plural(len(seen), 'event', 'events')}: {to / 'index.html'}")

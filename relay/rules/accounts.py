"""Portal ids that were looked up by e-mail, put into the rules as if they stood in the file.

Never guesses: an id that is in doubt is left out, and its person has none, as before.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from relay.rules.people import Directory, Person, directory
from relay.rules.recipients import Known, Recipient
from relay.rules.rulebook import Rule, Rules, Telling

Found = Mapping[str, Mapping[str, int]]  # by portal, and by e-mail in lower case (casefold): the user's id


def portals_in_use(rules: Rules) -> tuple[str, ...]:
    """The portals by which some rule tells, in the file's order; the first of all where no rule tells at all."""
    used = {rule.telling.portal for rule in rules.every()}
    return tuple(name for name in rules.portals if name in used) or tuple(rules.portals)[:1]


def without_id(rules: Rules) -> dict[str, Person]:
    """The people to be looked up, by name: an e-mail, and no id in the file."""
    return {
        name: person for name, person in rules.people.items() if person.email and person.id is None and not person.ids
    }


def emails(people: Iterable[Person]) -> tuple[str, ...]:
    """Their addresses as they are kept, each once."""
    return tuple(dict.fromkeys(email.casefold() for person in people for email in person.email))


def rules_with_ids(rules: Rules, found: Found) -> Rules:
    """The same rules, in which people without an id have the one that was found for their e-mail. Pure.

    An id in the file wins. Nobody gets an id that another person has, nor one of two: several of his addresses, or the
    portals by which the rules tell, must agree. With nothing to fill in, the rules are returned as they are.
    """
    ids = _ids(rules, found)
    if not ids:
        return rules
    people = {name: replace(person, id=ids.get(name, person.id)) for name, person in rules.people.items()}
    teams = {name: tuple(people[member.name] for member in members) for name, members in rules.teams.items()}
    filling = _Filling(directory(people, teams))
    default = None if rules.default is None else filling.rule(rules.default)
    return replace(rules, directory=filling.among, rules=tuple(map(filling.rule, rules.rules)), default=default)


def _ids(rules: Rules, found: Found) -> dict[str, int]:
    portals = portals_in_use(rules)
    sought = ((name, _id_of(person, found, portals)) for name, person in without_id(rules).items())
    ids = {name: number for name, number in sought if number is not None}
    claimed = Counter([*ids.values(), *rules.directory.by_id])
    return {name: number for name, number in ids.items() if claimed[number] == 1}


def _id_of(person: Person, found: Found, portals: Iterable[str]) -> int | None:
    ids: set[int | None] = set()
    for portal in portals:
        kept = found.get(portal, {})
        here = {kept[email] for email in emails([person]) if email in kept}
        ids |= here or {None}
    return ids.pop() if len(ids) == 1 else None


@dataclass(frozen=True, slots=True)
class _Filling:
    """Rules in which persons stand as the new directory has them."""

    among: Directory

    def rule(self, rule: Rule) -> Rule:
        return replace(rule, telling=self.telling(rule.telling), rules=tuple(map(self.rule, rule.rules)))

    def telling(self, telling: Telling) -> Telling:
        fallback = tuple(self.known(each) if isinstance(each, Known) else each for each in telling.fallback)
        return replace(telling, to=tuple(map(self.recipient, telling.to)), fallback=fallback)

    def recipient(self, recipient: Recipient) -> Recipient:
        return self.known(recipient) if isinstance(recipient, Known) else recipient

    def known(self, recipient: Known) -> Known:
        return replace(recipient, persons=tuple(map(self.person, recipient.persons)))

    def person(self, person: Person) -> Person:
        """A portal id in the rules may be that of somebody whose name is known by now."""
        if person.name in self.among.people:
            return self.among.people[person.name]
        return person if person.id is None else self.among.by_portal_id(person.id)

"""One message of one rule to one person: its tag, its words, and the time from which it may be sent.

Never decides whether it is sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from relay.model import Event, Message
from relay.render import Wording, compile_line, compose
from relay.rules.calendar import quiet_until
from relay.rules.people import Person
from relay.rules.rulebook import Telling

NO_WORDS = Wording(text="", attach=None, note="")  # of a deletion
EVENT_KEY = compile_line("{{ event.key }}", lambda _path, _sentence: None)  # cut to what the portal takes as a tag


def worded(
    event: Event,
    rule: str,
    telling: Telling,
    person: Person,
    now: datetime,
    *,
    events: Sequence[Event] = (),
    fallback: Sequence[int] = (),
    delete: bool = False,
) -> Message:
    """The message to a person who has an id.

    Args:
        rule: its name.
        events: those that ``event`` stands for, where it stands for several.
        fallback: the portal ids of those who are told when the portal refuses the person.
        delete: it takes a notification away instead.
    """
    tag = (telling.tag or EVENT_KEY).render(event=event, person=person.reader, rule=rule)
    words = NO_WORDS if delete else compose(event, telling.template, reader=person.reader, rule=rule, events=events)
    morning = None if telling.urgent or delete else quiet_until(person, now)
    return Message(
        portal=telling.portal,
        user_id=person.id or 0,
        person=person.name,
        rule=rule,
        key=tag or event.key or f"{event.source}:{event.event}",
        tag=tag,
        text=words.text,
        attach=words.attach,
        via=telling.via,
        urgent=telling.urgent,
        fallback=tuple(each for each in fallback if each != person.id),
        delete=delete,
        note=words.note,
        not_before=morning.timestamp() if morning else 0.0,
    )

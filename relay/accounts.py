"""The people of the rules looked up on their portals: asked for by e-mail, kept, and asked for again every hour.

Never takes somebody else for them: an id is used only while the portal itself says that exactly one active user has
the e-mail. It is asked again every hour. Whoever is dismissed by then, or has another e-mail, loses his id at once;
what could not be confirmed for a week, whatever the reason, is not used any more until it is.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from relay import authorisation, courier, log
from relay.bitrix import users
from relay.bitrix.application import NotAuthorised
from relay.bitrix.call import BATCH
from relay.bitrix.users import LookupRefused, Sought
from relay.courier import Destination
from relay.errors import PortalUnreachable, StoreUnavailable
from relay.rules import Rules
from relay.rules.accounts import Found, emails, rules_with_ids, without_id
from relay.store import accounts, portals
from relay.store.database import Database, Transaction

EVERY = 3600.0  # seconds after which an id is confirmed again, by whichever worker does it
LONGEST = 7 * 86_400.0  # seconds for which an id that cannot be confirmed is still used
CONFIRM_EVERY = 60.0  # seconds after which a worker looks whether an id is due
LOOK_EVERY = 10.0  # seconds after which a process looks at what the database has by now


# ── What processes know of them ──────────────────────────────────────────────────────────────────────────────────


@dataclass(slots=True)
class Accounts:
    """The ids that were looked up, as this process knows them; it looks for news when it is asked."""

    database: Database
    clock: Callable[[], float] = time.monotonic
    _known: Found | None = field(default=None, init=False, repr=False)
    _next_look: float = field(default=0.0, init=False, repr=False)
    _made: tuple[Rules, Found, Rules] | None = field(default=None, init=False, repr=False)

    def put_in(self, rules: Rules) -> Rules:
        """The same rules with the ids in them: one object for as long as neither changes.

        Raises:
            StoreUnavailable: only at the first time.
        """
        if not without_id(rules):
            return rules
        known = self._up_to_date()
        made = self._made
        if made is None or made[0] is not rules or made[1] is not known:
            made = self._made = (rules, known, rules_with_ids(rules, known))
        return made[2]

    def look(self) -> Found:
        """Read what the database has by now."""
        self._next_look = self.clock() + LOOK_EVERY
        with self.database.read() as tx:
            found = accounts.found(tx, younger_than=LONGEST)
        if self._known is None or found != self._known:
            self._known = found
        return self._known

    def _up_to_date(self) -> Found:
        if self._known is None:
            return self.look()
        if self.clock() >= self._next_look:
            with suppress(StoreUnavailable):  # what is known stays until the database is back
                return self.look()
        return self._known


def confirm(database: Database, to: Destination, rules: Rules) -> None:
    """Ask again for the ids of a portal that are due, unless another worker does or messages have need of the pace.

    What goes wrong is told, and the ids stay until they are a week old.
    """
    wanted = set(emails(without_id(rules).values()))
    with database.read() as tx:
        if not (wanted and accounts.due(tx, to.name, every=EVERY)):
            return
    with database.write() as tx:
        claimed = accounts.claim(tx, to.name, every=EVERY) if _is_quiet(tx, to) else ()
    asked = [email for email in claimed if email in wanted]
    try:
        lost = [each for each in sync(database, to, asked) if each.state not in ("found", "unsure")]
    except (NotAuthorised, PortalUnreachable, LookupRefused) as fault:
        log.trouble("people: cannot be looked up again, their ids stay for now", portal=to.name, why=str(fault))
        return
    if lost:
        log.trouble("people: ids are used no more; relay people sync tells whose", portal=to.name, people=len(lost))


def _is_quiet(tx: Transaction, to: Destination) -> bool:
    state = portals.get(tx, to.name)
    ours = courier.pace_now(to, state, tx.now)
    return not state.trouble and ours.level(state.level, state.level_at, tx.now) <= ours.ceiling / 2


# ── Asking ───────────────────────────────────────────────────────────────────────────────────────────────────────


def sync(
    database: Database,
    to: Destination,
    addresses: Sequence[str],
    *,
    dry_run: bool = False,
    sleep: Callable[[float], object] = time.sleep,
) -> Iterator[Sought]:
    """Look addresses up on a portal, fifty by a request, at the pace that all its couriers share.

    What is found is kept, and what is found no more forgotten, a request at a time; ``unsure`` changes nothing.

    Raises:
        NotAuthorised, PortalUnreachable: there is no answer.
        LookupRefused: the portal looks nobody up for us.
    """
    for start in range(0, len(addresses), BATCH):
        asked = users.lookup(addresses[start : start + BATCH])
        courier.spend(database, to, sleep)
        reply = authorisation.ask(to.client, asked.method, asked.payload)
        sought = users.read(asked, reply.status, reply.body)
        if not dry_run:
            _write(database, to.name, sought)
        yield from sought


def _write(database: Database, portal: str, sought: Sequence[Sought]) -> None:
    with database.write() as tx:
        accounts.keep(tx, portal, {each.email.casefold(): each.user_id for each in sought if each.state == "found"})
        gone = [each.email.casefold() for each in sought if each.state not in ("found", "unsure")]
        accounts.forget(tx, portal, gone)

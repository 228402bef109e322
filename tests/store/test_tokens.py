"""The tokens of a portal are kept for one application, and each change names the refresh token that it leaves."""

from __future__ import annotations

from dataclasses import replace

import pytest

from relay.bitrix.application import Tokens
from relay.settings import NO_SECRET, Secret
from relay.store import findings, tokens
from relay.store.database import Database
from relay.store.tokens import Kept, Owner
from tests.conftest import Clock

OWNER = Owner(portal="main", domain="p.bitrix24.ru", client_id="local.1")


def pair(number: int) -> Tokens:
    return Tokens(access=Secret(f"access-{number}"), refresh=Secret(f"refresh-{number}"), expires_at=1.0)


@pytest.fixture
def kept(database: Database) -> Kept:
    with database.write() as tx:
        tokens.put(tx, OWNER, pair(1), application_token=Secret("installed"))
        found = tokens.get(tx, OWNER)
    assert found is not None
    return found


def now_kept(database: Database) -> Kept:
    with database.read() as tx:
        found = tokens.get(tx, OWNER)
    assert found is not None
    return found


def test_what_is_kept_comes_back_and_prints_no_secret(kept: Kept, clock: Clock) -> None:
    assert (kept.tokens, kept.application_token) == (pair(1), Secret("installed"))
    assert (kept.changed_at, kept.asked_at, kept.refused_at) == (clock.now, 0.0, 0.0)
    assert "access-1" not in repr(kept)
    assert "refresh-1" not in f"{kept}"


@pytest.mark.parametrize("other", [{"portal": "two"}, {"domain": "q.bitrix24.ru"}, {"client_id": "local.2"}])
def test_tokens_are_nobody_elses(database: Database, kept: Kept, other: dict[str, str]) -> None:
    with database.read() as tx:
        assert tokens.get(tx, replace(OWNER, **other)) is None


def test_a_renewal_is_noted_and_its_answer_ends_the_note(database: Database, kept: Kept, clock: Clock) -> None:
    clock.forward(5)
    with database.write() as tx:
        assert tokens.asking(tx, kept)
    assert now_kept(database).asked_at == clock.now

    with database.write() as tx:
        assert tokens.renewed(tx, kept, pair(2))

    after = now_kept(database)
    assert (after.tokens, after.asked_at, after.changed_at) == (pair(2), 0.0, clock.now)
    assert after.application_token == Secret("installed")


def test_who_comes_late_changes_nothing(database: Database, kept: Kept) -> None:
    with database.write() as tx:
        tokens.renewed(tx, kept, pair(2))
        late = [change(tx, kept) for change in (tokens.asking, tokens.not_asked, tokens.refused)] + [
            tokens.renewed(tx, kept, pair(3))
        ]

    assert late == [False] * 4
    assert now_kept(database).tokens == pair(2)


def test_an_answer_is_kept_even_if_another_was_refused_meanwhile(database: Database, kept: Kept) -> None:
    """Two have asked with one refresh token: the second is refused before the first has written its answer down."""
    with database.write() as tx:
        tokens.refused(tx, kept)
        assert tokens.renewed(tx, kept, pair(2))

    assert now_kept(database).refused_at == 0.0


def test_a_login_replaces_all_and_forgetting_leaves_nothing(database: Database, kept: Kept) -> None:
    with database.write() as tx:
        tokens.refused(tx, kept)
        tokens.put(tx, OWNER, pair(4), application_token=NO_SECRET)
    assert (now_kept(database).tokens, now_kept(database).refused_at) == (pair(4), 0.0)

    with database.write() as tx:
        assert tokens.forget(tx, "main")
        assert not tokens.forget(tx, "main")
        assert tokens.get(tx, OWNER) is None


def test_what_was_measured_holds_for_the_way_in_by_which_it_was(database: Database, clock: Clock) -> None:
    with database.write() as tx:
        assert findings.get(tx, "main", "webhook p.bitrix24.ru") is None
        findings.remember(tx, "main", "webhook p.bitrix24.ru", replaces_by_tag=False)
        findings.remember(tx, "main", "app p.bitrix24.ru", replaces_by_tag=True)
        measured = findings.get(tx, "main", "app p.bitrix24.ru")

        assert findings.get(tx, "main", "webhook p.bitrix24.ru") is None
    assert measured == findings.Measured(replaces_by_tag=True, at=clock.now)

"""Tokens are renewed when the portal says so, by one at a time, and what was given is kept whatever happens."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from relay import authorisation
from relay.authorisation import LEASE, Authorised
from relay.bitrix import application
from relay.bitrix.application import RENEWED, NotAuthorised
from relay.bitrix.options import PortalOptions
from relay.errors import StoreUnavailable
from relay.sandbox import Portal, Server, serve
from relay.settings import Secret
from relay.store import tokens
from relay.store.database import Database, Transaction
from relay.store.tokens import Kept
from tests import apps
from tests.conftest import Clock


@pytest.fixture
def clock() -> Clock:
    return Clock(time.time() - apps.HOUR)


@pytest.fixture
def server() -> Iterator[Server]:
    with serve(Portal(rate="unlimited")) as running:
        yield running


@pytest.fixture
def client(database: Database, server: Server, clock: Clock) -> Iterator[Authorised]:
    """The client of a portal that let the relay in an hour ago."""
    apps.let_in(database, server)
    clock.forward(apps.HOUR)
    made = authorisation.caller(database, "main", apps.options(server))
    assert isinstance(made, Authorised)
    yield made
    made.close()


def kept(database: Database, server: Server) -> Kept:
    with database.read() as tx:
        found = tokens.get(tx, apps.owner(server))
    assert found is not None
    return found


def refusal(client: Authorised) -> NotAuthorised:
    with pytest.raises(NotAuthorised) as caught:
        client.call("profile", {})
    return caught.value


# ── The ordinary way ──────────────────────────────────────────────────────────────────────────────────────────


def test_a_good_token_is_not_renewed_however_old_it_is(client: Authorised, server: Server, clock: Clock) -> None:
    clock.forward(1000 * apps.HOUR)

    assert json.loads(client.call("profile", {}).body)["result"]["ID"] == "1"
    assert server.portal.renewals == 0


def test_an_expired_token_is_renewed_once_and_the_new_refresh_token_is_kept(
    client: Authorised, server: Server, database: Database
) -> None:
    server.portal.expire_token()

    assert refusal(client).trouble.code == RENEWED
    assert client.call("profile", {}).status == 200
    assert server.portal.renewals == 1
    now = kept(database, server)
    assert now.tokens.refresh.reveal() == "sandbox-refresh-token+"
    assert now.application_token == Secret(apps.APPLICATION_TOKEN)
    assert not now.asked_at


def test_who_waits_for_the_answer_gets_it_in_one_go(client: Authorised, server: Server) -> None:
    server.portal.expire_token()

    assert authorisation.ask(client, "profile", {}).status == 200


def test_of_many_who_meet_the_expired_token_one_renews_it(
    client: Authorised, server: Server, database: Database
) -> None:
    server.portal.expire_token()
    others = [authorisation.caller(database, "main", apps.options(server)) for _ in range(3)]
    with ThreadPoolExecutor(12) as pool:
        called = [pool.submit(one.call, "profile", {}) for one in (client, *others) for _ in range(3)]
    faults = [one.exception() for one in called]

    codes = {fault.trouble.code for fault in faults if isinstance(fault, NotAuthorised)}
    assert RENEWED in codes
    assert codes <= {RENEWED, "TOKEN_BEING_RENEWED"}
    assert server.portal.renewals == 1
    for other in others:
        assert other.call("profile", {}).status == 200
        other.close()


def test_whose_call_was_under_way_with_the_old_token_is_told_that_there_is_a_new_one(
    client: Authorised, server: Server, database: Database
) -> None:
    before = kept(database, server)
    server.portal.expire_token()
    refusal(client)

    assert client._renew(before).code == RENEWED
    assert server.portal.renewals == 1


def test_a_token_that_is_new_and_called_expired_is_not_renewed_again_and_again(
    client: Authorised, server: Server, clock: Clock
) -> None:
    server.portal.expire_token()
    refusal(client)
    for _ in range(5):
        server.portal.expire_token()
        assert refusal(client).trouble.code == "EXPIRED_TOKEN"
    assert server.portal.renewals == 1

    clock.forward(61)
    assert refusal(client).trouble.code == RENEWED


def test_without_tokens_the_sentence_says_how_to_get_them(database: Database, server: Server) -> None:
    client = authorisation.caller(database, "main", apps.options(server))
    with pytest.raises(NotAuthorised, match="relay portal login main") as caught:
        client.call("profile", {})
    client.close()

    assert caught.value.trouble.kind == "closed"
    assert server.portal.calls() == []


def test_tokens_are_shown_to_no_other_portal(database: Database, server: Server, clock: Clock) -> None:
    apps.let_in(database, server)
    with serve(Portal()) as other:
        client = authorisation.caller(database, "main", apps.options(other))
        with pytest.raises(NotAuthorised, match="no tokens"):
            client.call("profile", {})
        client.close()
        assert other.portal.calls() == []


# ── Tokens that nobody uses ───────────────────────────────────────────────────────────────────────────────────────


def test_tokens_that_were_used_within_a_month_are_left_alone(client: Authorised, server: Server, clock: Clock) -> None:
    clock.forward(authorisation.OLD - 2 * apps.HOUR)
    authorisation.keep_alive(client)

    assert server.portal.renewals == 0


def test_tokens_that_nobody_used_for_a_month_are_renewed_once(
    client: Authorised, server: Server, database: Database, clock: Clock
) -> None:
    clock.forward(authorisation.OLD)
    for _ in range(3):
        authorisation.keep_alive(client)

    assert server.portal.renewals == 1
    assert kept(database, server).changed_at == clock.now
    assert client.call("profile", {}).status == 200

    clock.forward(authorisation.OLD)
    authorisation.keep_alive(client)
    assert server.portal.renewals == 2


def test_of_many_workers_that_find_old_tokens_one_renews_them(
    client: Authorised, server: Server, database: Database, clock: Clock
) -> None:
    clock.forward(authorisation.OLD)
    others = [authorisation.caller(database, "main", apps.options(server)) for _ in range(3)]
    with ThreadPoolExecutor(12) as pool:
        list(pool.map(authorisation.keep_alive, [client, *others] * 3))
    for other in others:
        other.close()

    assert server.portal.renewals == 1
    assert kept(database, server).tokens.refresh.reveal() == "sandbox-refresh-token+"


def test_an_authorisation_server_that_is_away_is_asked_for_old_tokens_another_day(
    client: Authorised, server: Server, database: Database, clock: Clock
) -> None:
    clock.forward(authorisation.OLD)
    with serve(Portal()) as gone:
        options = apps.options(server, oauth=gone.url)
    away = authorisation.caller(database, "main", options)
    authorisation.keep_alive(away)
    away.close()
    assert not kept(database, server).asked_at

    clock.forward(authorisation.LOOK_EVERY)
    authorisation.keep_alive(client)
    assert server.portal.renewals == 1


def test_a_refresh_token_that_is_dead_already_is_told_and_not_tried_by_the_day(
    client: Authorised, server: Server, database: Database, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    app = apps.options(server).app
    assert app is not None
    application.renew(app, kept(database, server).tokens, now=0.0)  # by somebody who has stolen it
    clock.forward(authorisation.OLD)
    for _ in range(3):
        authorisation.keep_alive(client)

    assert kept(database, server).refused_at == clock.now
    assert [record.getMessage() for record in caplog.records] == ["application: no new tokens"]


def test_where_there_are_no_tokens_or_none_are_needed_nothing_is_renewed(database: Database, server: Server) -> None:
    stranger = authorisation.caller(database, "main", apps.options(server))
    webhook = authorisation.caller(database, "main", PortalOptions.model_validate({"webhook": server.webhook}))
    for one in (stranger, webhook):
        authorisation.keep_alive(one)
        one.close()

    assert server.portal.renewals == 0


def test_a_database_that_is_away_is_told_and_raises_nothing(
    client: Authorised, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def away(tx: Transaction, owner: object) -> Kept | None:
        raise StoreUnavailable("the database cannot be used just now")

    monkeypatch.setattr(tokens, "get", away)
    authorisation.keep_alive(client)

    assert "the age of the tokens is not known" in caplog.text


# ── When it goes wrong ────────────────────────────────────────────────────────────────────────────────────────


def test_a_used_up_refresh_token_asks_for_a_person_and_is_not_tried_again(
    client: Authorised, server: Server, database: Database, clock: Clock
) -> None:
    app = apps.options(server).app
    assert app is not None
    application.renew(app, kept(database, server).tokens, now=0.0)  # by somebody who has stolen it
    server.portal.fail("error", code="expired_token", times=3)

    for _ in range(3):
        trouble = refusal(client).trouble
        assert (trouble.kind, trouble.code) == ("closed", "INVALID_GRANT")
        assert "relay portal login main" in trouble.why
    assert kept(database, server).refused_at == clock.now

    apps.let_in(database, server)
    assert client.call("profile", {}).status == 200


def test_an_authorisation_server_that_is_away_is_asked_again(
    client: Authorised, server: Server, database: Database
) -> None:
    server.portal.expire_token()
    with serve(Portal()) as gone:
        options = apps.options(server, oauth=gone.url)
    away = authorisation.caller(database, "main", options)
    assert isinstance(away, Authorised)

    assert refusal(away).trouble.kind == "down"
    assert not kept(database, server).asked_at
    assert refusal(client).trouble.code == RENEWED
    away.close()


def test_wrong_keys_of_the_application_leave_the_refresh_token_as_good_as_it_was(
    client: Authorised, server: Server, database: Database
) -> None:
    server.portal.expire_token()
    wrong = authorisation.caller(database, "main", apps.options(server, client_secret="wrong"))
    assert isinstance(wrong, Authorised)

    assert refusal(wrong).trouble.code == "INVALID_CLIENT"
    assert not kept(database, server).refused_at
    assert refusal(client).trouble.code == RENEWED
    wrong.close()


def test_a_database_that_does_not_take_the_answer_gets_it_later(
    client: Authorised, server: Server, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(tx: Transaction, kept: Kept, fresh: object) -> bool:
        raise StoreUnavailable("the database cannot be used just now: database or disk is full")

    server.portal.expire_token()
    with monkeypatch.context() as patched:
        patched.setattr(tokens, "renewed", full)
        for _ in range(2):
            assert (refusal(client).trouble.kind, refusal(client).trouble.code) == ("down", "STORE")
    assert server.portal.renewals == 1

    assert client.call("profile", {}).status == 200
    assert kept(database, server).tokens.refresh.reveal() == "sandbox-refresh-token+"


# ── Killed ────────────────────────────────────────────────────────────────────────────────────────────────────

CHILD = """
import json, os
from relay import authorisation
from relay.bitrix.options import PortalOptions
from relay.settings import Secret
from relay.store.database import Database

options = PortalOptions.model_validate(json.loads(os.environ["WAY_IN"]))
authorisation.caller(Database(Secret(os.environ["DATABASE_URL"])), "main", options).call("profile", {})
"""


def die(database_url: Secret, server: Server, place: str) -> None:
    """Renew in a process that is killed at a place."""
    server.portal.expire_token()
    env = {"DATABASE_URL": database_url.reveal(), "WAY_IN": json.dumps(apps.way_in(server)), "RELAY_FAILPOINT": place}
    ended = subprocess.run([sys.executable, "-c", CHILD], env=os.environ | env, timeout=60, check=False)
    assert ended.returncode == -signal.SIGKILL


def test_killed_before_it_asks_it_renews_after_all(
    client: Authorised, server: Server, database: Database, clock: Clock, database_url: Secret
) -> None:
    die(database_url, server, "token: written down, not asked")
    assert refusal(client).trouble.code == "TOKEN_BEING_RENEWED"  # it is not known that the other is gone

    clock.now = time.time() + LEASE + 1
    assert refusal(client).trouble.code == RENEWED
    assert server.portal.renewals == 1


def test_killed_between_answer_and_commit_it_tries_the_old_refresh_token(
    client: Authorised, server: Server, clock: Clock, database_url: Secret
) -> None:
    server.portal.configure(spent_refresh="accept")
    die(database_url, server, "token: answered, not committed")
    clock.now = time.time() + LEASE + 1

    assert refusal(client).trouble.code == RENEWED
    assert client.call("profile", {}).status == 200


def test_killed_between_answer_and_commit_where_a_refresh_token_works_once_a_person_is_asked(
    client: Authorised, server: Server, database: Database, clock: Clock, database_url: Secret
) -> None:
    die(database_url, server, "token: answered, not committed")
    clock.now = time.time() + LEASE + 1

    trouble = refusal(client).trouble
    assert (trouble.kind, trouble.code) == ("closed", "INVALID_GRANT")
    assert "a renewal was cut off" in trouble.why

    apps.let_in(database, server)
    assert client.call("profile", {}).status == 200

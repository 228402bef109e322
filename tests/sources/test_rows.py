"""What the senders whose events stand in tables have in common: times, names, mentions, repositories."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.sources import gitea_events, gitlab_events, rows, sentry_events
from relay.sources.buildbot import BUILD as BUILDBOT
from relay.sources.forge_mentions import mentioned
from relay.sources.github_columns import PLACEHOLDER
from relay.sources.github_row import Row
from relay.sources.jenkins import BUILD as JENKINS
from relay.sources.repo_name import repo_name

ROLES = {"actor", "author", "assignee", "reviewer", "mentioned", "committer", "owner"}
TABLES = {
    **{f"gitlab.{name}": row for name, row in gitlab_events.ROWS.items()},
    **{f"gitea.{name}": row for name, row in gitea_events.ROWS.items()},
    **{f"sentry.{name}": row for name, row in sentry_events.ROWS.items()},
    "jenkins.build": JENKINS,
    "buildbot.build": BUILDBOT,
}
TEMPLATES = {"key", "title", "text", "url", "conclusion", "severity", "started_at", "mentions", "state"}
PATH = r"\w+(?:\.\w+)*(?:\[\](?:\.\w+)*)*"
PATHS = re.compile(rf"{PATH}(?:\|{PATH})*")


@pytest.mark.parametrize("name", TABLES)
def test_a_row_is_written_in_the_columns_language(name: str) -> None:
    columns = TABLES[name]
    texts = {column: text for column, text in columns.items() if isinstance(text, str) and column != "concerns"}
    if isinstance(state := columns.get("state"), tuple):
        texts["state"] = state[1]

    assert set(columns) <= set(Row.__annotations__)
    assert set(columns.get("concerns", "").split()) <= ROLES
    for column, text in texts.items():
        paths = [match[1] for match in PLACEHOLDER.finditer(text)] if column in TEMPLATES else text.split()
        rest = PLACEHOLDER.sub("", text) if column in TEMPLATES else ""
        assert not set("{}|") & set(rest), column
        assert all(PATHS.fullmatch(path) for path in paths), column


def test_every_word_for_a_state_means_one_of_the_five() -> None:
    states = [state[0] for row in TABLES.values() if isinstance(state := row.get("state"), tuple)]

    assert states
    for words in states:
        assert set(words.values()) <= {"firing", "resolved", "open", "closed", "info"}


# ── Times ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2017-09-15 16:50:55 UTC", "2017-09-15T16:50:55Z"),
        ("2021-04-28 21:50:00 +0200", "2021-04-28T21:50:00+02:00"),
        ("2013-12-03T17:23:34Z", "2013-12-03T17:23:34Z"),
        ("2021-02-23T02:41:37.886Z", "2021-02-23T02:41:37Z"),
        ("2026-11-23T08:00:00.5+00:00", "2026-11-23T08:00:00+00:00"),
        ("1795417588", "2026-11-23T07:06:28+00:00"),
        ("0001-01-01T00:00:00Z", ""),
        ("2026-11-23 08:00:00", ""),
        ("2026-13-40 25:00:00 UTC", ""),
        ("yesterday", ""),
        ("", ""),
        ("٢٠١٧-٠٩-١٥ ١٦:٥٠:٥٥ UTC", ""),
    ],
)
def test_a_sender_s_time_becomes_rfc_3339(text: str, moment: str) -> None:
    assert rows.moment(text) == moment


# ── Mentions ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("@anna", ("anna",)),
        ("@mila.k and @_boris_", ("mila.k", "_boris_")),
        ("(@anna.b), thanks @anna.b.", ("anna.b",)),
        ("ask @acme/back-end/api!", ("acme/back-end/api",)),
        ("@Anna and @anna again", ("Anna",)),
        ("@n0n then @anna", ("n0n", "anna")),
        ("спасибо, @anna!", ("anna",)),
        ("@" + "a" * 255, ("a" * 255,)),
        ("`@anna` and\n```\n@boris\n```\n> @zoe\n<!-- @kim -->", ()),
        ("write to anna@example.com", ()),
        ("@@anna https://x.example/@anna @anna@social.example @an-na@x @anna/ @ @-", ()),
        ("@" + "a" * 256, ()),
        ("", ()),
    ],
)
def test_who_is_called_by_name_on_a_forge(text: str, names: tuple[str, ...]) -> None:
    assert mentioned(text) == names


@given(st.text(alphabet="@an0n./-_`> \n", max_size=200))
def test_any_text_calls_only_names_that_stand_in_it(text: str) -> None:
    for name in mentioned(text):
        assert f"@{name}" in text


@pytest.mark.parametrize("piece", ["@a", "@a/", "@a.", "a@", "@a-", "`@a`", "@n0n"])
def test_a_long_text_is_read_in_time_that_grows_with_it(piece: str) -> None:
    start = time.perf_counter()
    mentioned(piece * 50_000)

    assert time.perf_counter() - start < 5


# ── Repositories ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("https://git.example.com/acme/shop.git", "acme/shop"),
        ("https://user:hunter2@git.example.com/acme/shop.git", "acme/shop"),
        ("ssh://git@git.example.com:2222/acme/team/shop", "acme/team/shop"),
        ("git@git.example.com:acme/shop.git", "acme/shop"),
        ("/srv/git/shop.git", "srv/git/shop"),
        ("acme/shop", "acme/shop"),
        ("", ""),
    ],
)
def test_a_repository_is_called_by_its_path(address: str, name: str) -> None:
    assert repo_name(address) == name


# ── E-mails ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("kolya@example.com", "kolya@example.com"),
        ("583231+kolya@users.noreply.github.com", "583231+kolya@users.noreply.github.com"),
        ("[REDACTED]", ""),
        ("ivan-petrov", ""),
        ("acme/backend@x", ""),
        ("", ""),
    ],
)
def test_only_an_e_mail_passes_for_one(text: str, found: str) -> None:
    assert rows.email(text) == found

"""`relay silence`: made with a sentence, looked at, and ended by hand."""

from __future__ import annotations

import pytest

from relay.store import notes
from tests.cli.conftest import Desk


def test_a_silence_is_made_with_conditions_as_alertmanager_writes_them_and_says_what_it_would_match(desk: Desk) -> None:
    number = desk.take_in(kind="deploy", id="1", service="shop", title="shop failed", person="ivan")
    desk.take_in(kind="release", id="2", service="shop", title="shop released", person="ivan")

    made = desk.run(
        "silence", "add", "--for", "2h", "--why", "works", "--by", "olga", "event=deploy", "severity!~crit.*"
    )

    assert made.exit_code == 0, made.output
    assert made.stdout.startswith("silence 1 until ")
    assert f"1 of the last 500 events match it, such as {number}" in made.stderr
    (listed,) = desk.json("silence", "list", "--json")
    assert listed["when"] == {"event": "deploy", "severity": {"not": {"regex": "crit.*"}}}
    assert (listed["who"], listed["why"], listed["until"] - listed["starts"]) == ("olga", "works", 7200)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--for", "2h", "--why", "w", "no_such=1"], "unknown word no_such"),
        (["--for", "2h", "--why", "w", "severity=~(("], "severity"),
        (["--for", "2h", "--why", "w", "severity"], "is no condition"),
        (["--for", "soon", "--why", "w", "severity=x"], "is neither a number of seconds nor a time such as 5m"),
        (["--for", "2h", "severity=x"], "--why"),
    ],
)
def test_what_cannot_be_a_silence_is_refused_with_a_sentence(desk: Desk, words: list[str], sentence: str) -> None:
    done = desk.run("silence", "add", *words)

    assert done.exit_code in (1, 2)
    assert sentence in done.output
    assert desk.json("silence", "list", "--json") == []


def test_a_silence_is_ended_by_hand_once(desk: Desk) -> None:
    desk.run("silence", "add", "--for", "2h", "--why", "works", "event=deploy")

    assert desk.run("silence", "end", "1").exit_code == 0
    with desk.database.read() as tx:
        assert list(notes.under(tx, "ending:")) == ["ending:1"]
    assert desk.run("silence", "end", "7").exit_code == 1

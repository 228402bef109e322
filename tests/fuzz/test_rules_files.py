"""A few dozen fuzzed rules files; and what the fuzzer would say of a reader that fails."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from relay import house, log
from relay.errors import BadRules, Complaint
from tests.fuzz.changes import drawn
from tests.fuzz.rules_changed import CANARY, good
from tests.fuzz.rules_files import LONGEST, run, tried


@pytest.fixture(autouse=True)
def _log_forgets(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is read here as a secret may be a word that other tests look for in the log."""
    monkeypatch.setattr(log, "_hidden", ())


def test_every_file_is_loaded_and_decides_or_is_complained_of_at_its_place() -> None:
    report = run(count=80, seed=11)

    assert [fault for each in report.verdicts for fault in each.faults] == []
    assert report.tally["loaded"] > 5
    assert report.tally["decided"] > 30
    assert report.tally["refused"] > 30


def test_the_files_to_begin_with_load_and_hold_secrets() -> None:
    assert len(good()) > 15
    assert sum("${" in each.text for each in good()) > 10


TEXT = good()[0].text.encode()


def faults(path: Path) -> str:
    return "\n".join(tried(1, TEXT, path, drawn(1, 1)).faults)


def test_a_good_file_has_no_fault(tmp_path: Path) -> None:
    assert not faults(tmp_path)


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        (ValueError("x"), "ValueError"),
        (RecursionError(), "RecursionError"),
        (BadRules([Complaint(0, 1, "", "no place")]), "no place"),
        (BadRules([Complaint(900, 1, "", "beyond the end")]), "beyond the end"),
        (BadRules([Complaint(1, 1, "", f"nobody is called {CANARY}")]), "holds a secret"),
        (BadRules([Complaint(1, 1, "", "only a warning", "warning")]), "do not agree"),
    ],
)
def test_each_of_these_is_a_fault(
    raised: Exception, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(*_: Any) -> None:
        raise raised

    monkeypatch.setattr(house, "read_rules", read)

    assert said in faults(tmp_path)


def test_a_file_that_takes_long_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, LONGEST + 1])
    monkeypatch.setattr(time, "thread_time", lambda: next(clock))

    assert "of the processor" in faults(tmp_path)

"""A changed rules file is read beside the work: nobody waits for it, and one reading follows the other."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from relay import house
from relay.house import RulesFile
from relay.rules import Rules
from relay.rules_on_disk import RulesOnDisk

TEXT = """\
version: 1
portal: {webhook: "https://p.bitrix24.ru/rest/1/abcdef/"}
sources: {github: {type: github, open: true}}
people: {ivan: {id: 17}}
rules: []
default: {to: ivan}
"""
LONG = 20.0  # seconds; nothing takes them unless it hangs


class Desk:
    """A rules file whose readings wait until they are let go."""

    def __init__(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.path = path
        self.write("ivan")
        self.file = RulesFile(path, {})
        self.let_go, self.begun = threading.Event(), threading.Semaphore(0)
        self.readings = 0
        self._read: Callable[[RulesOnDisk, object], Rules] = house._read  # type: ignore[assignment]
        monkeypatch.setattr(house, "_read", self.read)

    def write(self, name: str) -> None:
        self.path.write_text(TEXT.replace("ivan", name))

    def read(self, disk: RulesOnDisk, env: object) -> Rules:
        self.readings += 1
        found = self._read(disk, env)
        self.begun.release()
        assert self.let_go.wait(LONG)
        return found

    def people(self) -> list[str]:
        return list(self.file.current.people)

    def wait(self) -> None:
        for thread in threading.enumerate():
            if thread.name == "rules":
                thread.join(LONG)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    return Desk(tmp_path / "rules.yaml", monkeypatch)


def test_nobody_waits_for_a_changed_file_to_be_read(desk: Desk) -> None:
    desk.write("olga")

    desk.file.follow()

    assert desk.begun.acquire(timeout=LONG)
    assert desk.people() == ["ivan"]  # and this thread is here, while the other reads
    desk.let_go.set()
    desk.wait()
    assert desk.people() == ["olga"]


def test_a_file_that_has_not_changed_is_not_read(desk: Desk) -> None:
    desk.file.follow()
    desk.wait()

    assert desk.readings == 0


def test_while_one_reading_goes_on_no_other_begins(desk: Desk) -> None:
    desk.write("olga")
    desk.file.follow()
    assert desk.begun.acquire(timeout=LONG)

    for _ in range(3):
        desk.file.follow()

    desk.let_go.set()
    desk.wait()
    assert desk.readings == 1


def test_what_changes_during_a_reading_is_read_after_it(desk: Desk) -> None:
    desk.write("olga")
    desk.file.follow()
    assert desk.begun.acquire(timeout=LONG)
    desk.write("nina")
    desk.file.follow()
    desk.let_go.set()
    desk.wait()

    desk.file.follow()
    desk.wait()

    assert desk.people() == ["nina"]


def test_a_fault_of_ours_is_told_and_the_rules_stay(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(disk: RulesOnDisk, env: object) -> Rules:
        disk.text()
        raise ZeroDivisionError

    monkeypatch.setattr(house, "_read", broken)
    desk.write("olga")

    desk.file.follow()
    desk.wait()

    assert desk.people() == ["ivan"]
    assert [record.levelno for record in caplog.records] == [logging.ERROR]


def test_a_reading_gives_way_to_other_threads_and_leaves_their_turns_as_they_were(desk: Desk) -> None:
    usual = sys.getswitchinterval()
    desk.write("olga")
    desk.file.follow()
    assert desk.begun.acquire(timeout=LONG)

    assert sys.getswitchinterval() == pytest.approx(usual / 10)

    desk.let_go.set()
    desk.wait()
    assert sys.getswitchinterval() == pytest.approx(usual)

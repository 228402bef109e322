"""The wiring: a changed rules file is taken, a bad one changes nothing, and `.env` adds what is missing."""

from __future__ import annotations

import logging
import time
from pathlib import Path

import pytest

from relay import house
from relay.errors import BadRules
from relay.house import NoRules, RulesFile
from relay.settings import Secret, Settings
from relay.store import watching

GOOD = """\
version: 1
portal: {webhook: "https://p.bitrix24.ru/rest/1/${KEY}/"}
sources: {github: {type: github, open: true}}
people: {ivan: {id: 17}}
rules: []
default: {to: ivan}
"""
ENV = {"KEY": "abcdef"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "rules.yaml"
    file.write_text(GOOD)
    return file


def test_a_changed_file_is_taken_without_a_restart(path: Path) -> None:
    file = RulesFile(path, ENV)
    assert file.refresh() is False
    path.write_text(GOOD.replace("ivan", "olga"))

    assert file.refresh() is True
    assert list(file.current.people) == ["olga"]


def test_a_bad_file_is_refused_loudly_and_the_good_rules_stay(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    file = RulesFile(path, ENV)
    good = file.current
    path.write_text(GOOD.replace("to: ivan", "to: iwan"))

    assert file.refresh() is False
    assert file.current is good
    (record,) = [one for one in caplog.records if one.levelno == logging.WARNING]
    assert "rules.yaml:6:" in str(record.__dict__["words"])


def test_a_file_that_vanishes_changes_nothing(path: Path) -> None:
    file = RulesFile(path, ENV)
    good = file.current
    path.unlink()

    assert file.refresh() is False
    assert file.current is good


def test_a_bad_file_is_complained_of_once_and_a_mended_one_is_taken(
    path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = RulesFile(path, ENV)
    path.write_text("version: [")
    file.refresh()
    file.refresh()
    path.write_text(GOOD + "# mended\n")

    assert file.refresh() is True
    assert len([one for one in caplog.records if one.levelno == logging.WARNING]) == 1


def test_what_one_half_leaves_for_the_other_wakes_it_at_once(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "LOOK_EVERY", 60.0)  # so that nothing but the bell can wake in time
    built = house.build(Settings(rules=path, database_url=Secret(f"sqlite:///{tmp_path / 'relay.db'}")), ENV)
    half = built.with_connections_of_its_own()
    try:
        with half.database.watch() as changed:
            with built.database.write() as tx:
                tx.connection.exec_driver_sql("CREATE TABLE news (word TEXT)")
                tx.news = True
            asked = time.monotonic()
            assert changed(20.0)
            assert time.monotonic() - asked < 10  # else it has only looked when it was time to go
    finally:
        half.close()
        built.close()


def test_without_a_rules_file_the_sentence_says_how_to_name_one(tmp_path: Path) -> None:
    with pytest.raises(NoRules, match="RELAY_RULES"):
        RulesFile(tmp_path / "none.yaml", {})


def test_a_file_that_is_not_utf_8_is_a_complaint(path: Path) -> None:
    path.write_bytes(b"\xff\xfe")

    with pytest.raises(BadRules, match="UTF-8"):
        RulesFile(path, ENV)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("A=1", {"A": "1"}),
        ("export A=1\n\n# B=2\nC = 'x y'\n", {"A": "1", "C": "x y"}),
        ('URL="https://p/rest/1/k=v/"', {"URL": "https://p/rest/1/k=v/"}),
        ("nonsense", {}),
    ],
)
def test_a_dotenv_file_beside_the_rules_is_read(tmp_path: Path, text: str, found: dict[str, str]) -> None:
    (tmp_path / ".env").write_text(text)

    assert house.with_dotenv({}, tmp_path) == found


def test_what_is_set_already_wins_over_the_dotenv_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=file\nB=file")

    assert house.with_dotenv({"A": "set"}, tmp_path) == {"A": "set", "B": "file"}

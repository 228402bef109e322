"""`relay render`: an event in words that nobody is sent, and the gallery."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from relay import gallery
from relay.cli.main import main
from relay.gallery import exhibit
from relay.model import Event

RULES = """\
version: 1
portal: {domain: acme.bitrix24.ru, token: portal-token}
sources: {x: {type: json, open: true, event: payload.kind, title: payload.title, state: payload.state,
              actor: payload.who, tag: payload.kind, started_at: payload.at}}
people: {ivan: {id: 17, locale: ru, timezone: Asia/Tokyo}, olga: {id: 18}}
rules:
  - {name: builds, when: {event: build}, to: [ivan, olga], tag: "b {{ event.title }}",
     template: {text: "[b]{{ person.name }}[/b]: {{ event.title }}"}}
  - {name: alarms, when: {state: firing}, to: ivan}
default: drop
"""
BUILD = {"kind": "build", "title": "CI", "who": "kolya"}
ALARM = {"kind": "disk", "title": "Disk <full>", "state": "down", "at": "2026-11-23T08:00:00Z"}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "rules.yaml").write_text(RULES, encoding="utf-8")
    for name, body in (("build", BUILD), ("alarm", ALARM), ("other", {"kind": "chat", "title": "Hello"})):
        write(tmp_path / f"{name}.http", body)
    monkeypatch.setenv("RELAY_RULES", str(tmp_path / "rules.yaml"))
    monkeypatch.setenv("DATABASE_URL", "sqlite:////nowhere/relay.db")  # nothing here may ask it
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(path: Path, body: Any, source: str = "x") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(f"POST /in/{source} HTTP/1.1\n\n{json.dumps(body)}\n".encode())


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["render", *arguments])


def said(*arguments: str) -> str:
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def messages(*arguments: str) -> list[dict[str, Any]]:
    (event,) = json.loads(said(*arguments, "--json"))
    found: list[dict[str, Any]] = event["messages"]
    return found


# ── One event ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_everybody_s_message_is_shown_with_its_rule_and_tag() -> None:
    assert said("build.http") == (
        "x: build, info\n  actor: kolya\n\n"
        "→ ivan by «builds», tag b CI\n  [b]ivan[/b]: CI\n\n→ olga by «builds», tag b CI\n  [b]olga[/b]: CI\n"
    )


def test_the_blocks_stand_behind_a_bar_in_the_reader_s_language_and_zone() -> None:
    shown = said("alarm.http")

    assert "→ ivan by «alarms», tag x:disk\n  🔴 Disk &lt;full> · x" in shown
    assert "  │ Состояние: 🔴 горит\n  │ Началось: 23 ноя 17:00" in shown


def test_another_language_may_be_asked_for() -> None:
    shown = said("alarm.http", "--locale", "en")

    assert "  │ State: 🔴 firing\n  │ Since: 23 Nov 17:00" in shown


def test_another_person_may_be_asked_for_whether_told_or_not() -> None:
    (message,) = messages("alarm.http", "--person", "olga")

    assert (message["person"], message["rule"]) == ("olga", "alarms")
    assert message["attach"]["BLOCKS"][0]["GRID"][0] == {"NAME": "State", "VALUE": "🔴 firing", "DISPLAY": "ROW"}


def test_another_rule_s_words_may_be_asked_for_whether_it_matches_or_not() -> None:
    assert [message["text"] for message in messages("alarm.http", "--rule", "builds")] == [
        "[b]ivan[/b]: Disk &lt;full>",
        "[b]olga[/b]: Disk &lt;full>",
    ]
    assert len(messages("alarm.http", "--rule", "builds", "--person", "17")) == 1


def test_what_nobody_is_told_is_shown_in_the_built_in_words() -> None:
    assert said("other.http") == "x: chat, info\n\n→ (nobody is told), tag x:chat\n  Hello · x\n"
    assert messages("other.http")[0]["person"] is None


def test_json_has_what_decides_and_whom_the_event_names() -> None:
    (event,) = json.loads(said("build.http", "--json"))

    assert (event["event"], event["state"], event["key"], event["colour"]) == ("build", "info", "x:build", "")
    assert event["people"] == {"actor": ["kolya"]}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["build.http", "--rule", "build"], "no rule has that name; did you mean builds?"),
        (["build.http", "--person", "iwan"], "did you mean ivan?"),
        (["none.http"], "No such file"),
        ([], "give a fixture, or --all"),
        (["build.http", "--all"], "give a fixture, or --all"),
        (["--all"], "name a folder with --fixtures"),
        (["--all", "--fixtures", "none"], "none is no folder of fixtures"),
    ],
)
def test_what_cannot_be_shown_is_said(arguments: list[str], sentence: str) -> None:
    result = run(*arguments)

    assert result.exit_code != 0
    assert sentence in result.output


# ── The gallery ───────────────────────────────────────────────────────────────────────────────────────────────


class Page(HTMLParser):
    """What a browser would ask for, and what it would run."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.asked: list[str] = []
        self.run: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "iframe", "object", "embed", "form", "base"):
            self.run.append(tag)
        for name, value in attrs:
            if name in ("src", "srcset", "action", "data", "poster") or (tag == "link" and name == "href"):
                self.asked.append(f"{tag} {value}")
            if name.startswith("on") or name == "style":
                self.run.append(f"{tag} {name}")


def test_the_gallery_is_one_page_of_what_the_folders_hold(folder: Path) -> None:
    write(
        folder / "mine" / "uptime-kuma" / "down.http", {"heartbeat": None, "monitor": None, "msg": "x Testing"}, "kuma"
    )
    write(folder / "mine" / "deploys" / "done.http", BUILD)
    (folder / "mine" / "sources.yaml").write_text("deploys: {type: json, open: true, title: payload.title}")
    write(folder / "mine" / "strange" / "one.http", BUILD, "unknown")
    result = run("--all", "--fixtures", "mine", "--to", "out/gallery")
    html = (folder / "out" / "gallery" / "index.html").read_text(encoding="utf-8")

    assert result.exit_code == 0
    assert "2 events: out/gallery/index.html" in result.stdout
    assert "strange/one.http: nothing says what its source 'unknown' is" in result.stderr
    assert "uptime-kuma/down" in html
    assert "Test from kuma: it works" in html
    assert "Проверка kuma: связь есть" in html
    assert re.findall(r"url\(|@import", html) == []
    assert (Page(html).asked, Page(html).run) == ([], [])


def test_the_rules_sources_read_what_no_folder_names(folder: Path) -> None:
    write(folder / "saved" / "one.http", BUILD)

    assert "1 event:" in said("--all", "--fixtures", "saved", "--rules", "rules.yaml")


def test_no_stranger_s_word_becomes_markup_of_the_gallery() -> None:
    hostile = '"><script>alert(1)</script><img src=x onerror=alert(1)>[url=javascript:alert(1)]x[/url]'
    names: dict[str, Any] = dict.fromkeys(("event", "action", "title", "text", "actor", "key", "severity"), hostile)
    event = Event(source="s", type="json", url="javascript:alert(1)", **names)
    html = gallery.page([exhibit(hostile, event)])

    assert (Page(html).asked, Page(html).run) == ([], [])
    assert "javascript:alert(1)" not in re.findall(r'href="([^"]*)"', html)


def test_a_note_of_what_went_wrong_is_shown() -> None:
    many = Event(source="s", type="json", event="e", title="T", labels={f"name-{n}": "x" * 150 for n in range(300)})

    assert gallery.page([exhibit("s/one", many)]).count('class="note"') == 2

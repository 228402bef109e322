"""What is suspicious besides the order of rules: each finding at its place, with its code; and how one is silenced."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from relay import fixture
from relay.errors import Complaint
from relay.model import Request
from relay.rules.including import Found
from relay.rules.lint import CODES, Fixture, check
from relay.rules.lint.github_actions import ACTIONS
from relay.rules.lint.senders import WORDS, repertoire
from relay.sources import SENDERS, github
from relay.sources.github_events import ROWS
from tests.rules.books import ENV, HEAD

FIXTURES = Path(__file__).parents[2] / "fixtures"


def findings(rest: str, **more: Any) -> list[Complaint]:
    checked = check(HEAD + rest, env=ENV, **more)
    assert checked.rules is not None, checked.complaints
    return list(checked.complaints)


def places(rest: str, code: str, **more: Any) -> list[str]:
    return [each.path for each in findings(rest, **more) if each.code == code]


def said(rest: str, code: str, **more: Any) -> list[str]:
    return [each.message for each in findings(rest, **more) if each.code == code]


def rule(**parts: Any) -> str:
    return f"rules: [{json.dumps({'to': 'ivan', **parts})}]\n"


# ── What the senders never send ───────────────────────────────────────────────────────────────────────────────────

NEVER: dict[str, tuple[dict[str, Any], str, str]] = {
    "an event": ({"source": "github", "event": "pull_requst"}, "event", "did you mean pull_request?"),
    "an event among others": ({"source": "github", "event": ["push", "isues"]}, "event.1", "did you mean issues?"),
    "a pattern of events": ({"type": "github", "event": {"glob": "merge_request*"}}, "event", "never sends such"),
    "an action": ({"source": "github", "event": "workflow_run", "action": "complete"}, "action", "completed?"),
    "a merge is a closing": ({"type": "github", "event": "pull_request", "action": "merged"}, "action", "never sent"),
    "an action of another event": ({"source": "github", "event": "issues", "action": "submitted"}, "action", "issues"),
    "an action where there is none": ({"source": "github", "event": "push", "action": "opened"}, "action", "no action"),
    "an alert's action": ({"source": "alerts", "action": "fireing"}, "action", "did you mean firing?"),
    "an alert's branch": ({"source": "alerts", "branch": "main"}, "branch", "never has branch"),
    "an alert's author": ({"source": "alerts", "author": {"glob": "i*"}}, "author", "never has author"),
    "an issue's branch": (
        {"source": "github", "event": "issues", "branch": "main"},
        "branch",
        "issues never has branch",
    ),
    "a push's label": ({"source": "github", "event": "push", "labels.bug": "bug"}, "labels.bug", "never has labels"),
    "an event of JSON that is always the same": ({"source": "deploys", "event": "deployed"}, "event", "deploy?"),
    "a word that the source does not look for": ({"source": "deploys", "repo": "acme/shop"}, "repo", "never has repo"),
}


@pytest.mark.parametrize(("when", "path", "says"), NEVER.values(), ids=NEVER)
def test_what_no_source_sends_is_found_where_it_is_asked(when: dict[str, Any], path: str, says: str) -> None:
    (found,) = [each for each in findings(rule(when=when)) if each.code == "never-sent"]

    assert found.path == f"rules.0.when.{path}"
    assert says in found.message


SENT: list[dict[str, Any]] = [
    {"event": "pull_requst", "type": ["github", "json"], "source": "payloads"},  # its events may have any name
    {"source": "github", "event": "push", "branch": "main"},
    {"source": "github", "event": "repository_dispatch", "action": "whatever"},
    {"source": "github", "event": "issues", "branch": ""},
    {"source": "github", "event": "issues", "branch": {"not": "main"}},
    {"source": ["github", "alerts"], "branch": "main"},
    {"source": "alerts", "event": "alert", "labels.env": "prod", "severity": "critical"},
    {"source": "github", "event": {"not": "pusch"}},
    {"source": "github", "any": [{"event": "whatever"}]},
    {"source": "deploys", "action": ""},
]


@pytest.mark.parametrize("when", SENT, ids=str)
def test_what_may_be_sent_is_not_complained_of(when: dict[str, Any]) -> None:
    with_payloads = HEAD.replace(
        "people:", "  payloads: {type: json, bearer: '${SECRET}', event: payload.kind}\npeople:", 1
    )

    checked = check(with_payloads + rule(when=when), env=ENV)

    assert [each.message for each in checked.complaints if each.code == "never-sent"] == []


def test_every_event_and_action_of_the_senders_table_is_in_the_table_of_actions() -> None:
    rows = {tuple(name.partition(".")[::2]) for name in ROWS}

    assert {event for event, _ in rows} <= set(ACTIONS)
    assert [row for row in rows if row[1] and row[1] not in ACTIONS[row[0]]] == []


@pytest.mark.parametrize("path", sorted(FIXTURES.rglob("*.http")), ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_every_fixture_says_only_what_its_sender_is_known_to_say(path: Path) -> None:
    request = fixture.parse(path.read_bytes())
    kind = path.parent.name
    if kind == "json":
        return  # their sources stand in the tests of the sender
    options = SENDERS[kind].options.model_validate({"type": kind, "open": True})
    known = repertoire(options)

    for event in SENDERS[kind].read(kind, options, request).events:
        actions = known.actions(event.event)
        assert known.events is None or event.event in known.events
        assert actions is None or event.action in actions
        assert {word for word in WORDS if getattr(event, word)} <= known.fills(event.event)


def test_of_a_sender_that_is_not_described_anything_may_come() -> None:
    class New(github.Options):
        type: Any = "new"

    assert repertoire(New(type="new", open=True)).events is None


# ── Names ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_people_whom_no_rule_can_tell_are_noted() -> None:
    assert places("rules: [{to: ivan, fallback: 19}]\n", "unused-person") == ["people.olga", "people.nina"]
    assert places("rules: [{to: team/backend}]\n", "unused-person") == ["people.petr", "people.nina"]


def test_a_role_may_mean_whoever_has_a_login_and_a_field_anybody() -> None:
    assert places("rules: [{to: author}]\n", "unused-person") == []
    assert places("rules: [{to: {label: owner}}]\n", "unused-person") == []


def test_teams_that_no_rule_tells_are_noted_unless_an_event_may_name_one() -> None:
    assert places("rules: [{to: team/backend}]\n", "unused-team") == ["teams.acme/frontend"]
    assert places("rules: [{to: reviewer}]\n", "unused-team") == []


def test_somebody_on_call_is_told() -> None:
    schedule = "oncall: {sre: {timezone: UTC, handoff: 'Mon 10:00', rotation: [olga], from: 2026-11-23}}\n"

    assert "people.olga" not in places(f"{schedule}rules: [{{to: oncall/sre}}]\n", "unused-person")


def test_templates_that_no_rule_uses_are_warned_of() -> None:
    rest = "templates: {a: {text: x}, b: {text: y}}\nrules: [{to: ivan, rules: [{to: olga, template: b}]}]\n"

    assert places(rest, "unused-template") == ["templates.a"]


def test_sources_that_no_rule_is_for_are_noted() -> None:
    assert places(rule(when={"source": ["github", "alerts"]}), "unused-source") == ["sources.deploys"]
    assert places(rule(when={"type": "json"}), "unused-source") == ["sources.github", "sources.alerts"]
    assert places(rule(), "unused-source") == []


def test_two_rules_of_one_literal_tag_are_warned_of_at_the_second() -> None:
    rest = "rules: [{to: ivan, tag: x, continue: true}, {to: olga, tag: ' x'}, {to: petr, tag: '{{ event.key }}'}]\n"

    assert places(rest, "same-tag") == ["rules.1.tag"]
    assert places("rules: [{to: ivan, tag: x, rules: [{to: olga}]}]\n", "same-tag") == []


def test_somebody_without_id_but_with_an_email_is_noted_and_not_warned_of() -> None:
    assert [each.level for each in findings(rule()) if each.path == "people.nina" and each.code == "looked-up"] == [
        "note"
    ]


# ── Templates on fixtures ─────────────────────────────────────────────────────────────────────────────────────────


def pull_request(*, whole: bool = True, **payload: Any) -> Fixture:
    body = {"action": "opened", "pull_request": {"number": 7, "title": "T", "user": {"login": "ivan"}}, **payload}
    headers = {"x-github-event": "pull_request", "content-type": "application/json"}
    request = Request(method="POST", path="/in/github", headers=headers, body=json.dumps(body).encode())
    return Fixture(name="opened.http", request=request, whole=whole)


def template(text: str, when: str = "{event: pull_request}", **more: Any) -> str:
    made = json.dumps({"text": text, **more})
    return f"templates: {{t: {made}}}\nrules: [{{when: {when}, to: ivan, template: t}}]\n"


TYPO = "x {{ event.payload.pull_request.titel }}"


def test_a_field_that_is_in_no_fixture_is_found_with_the_nearest_that_is() -> None:
    (message,) = said(template(TYPO), "no-such-field", fixtures=[pull_request()])

    assert "there is no titel in opened.http; did you mean title?" in message
    assert places(template(TYPO), "no-such-field", fixtures=[pull_request()]) == ["templates.t.text"]


@pytest.mark.parametrize(
    ("rest", "given"),
    [
        (template("x {{ event.payload.pull_request.title }}"), [pull_request()]),
        (template(TYPO), []),
        (template(TYPO), [pull_request(whole=False)]),  # what a small sample has not says nothing
        (template(TYPO, "{event: push}"), [pull_request()]),  # no rule of it is for this fixture
        (template("x {{ event.payload.old.x }}"), [pull_request(), pull_request(old={"x": 1})]),
        (template("x {{ event.payload.none.x }}"), [pull_request(none=None)]),
        (template("x {{ event.payload.labels.mine }}"), [pull_request(labels={})]),  # whoever labels chooses the keys
        (template("x {% for c in event.payload.commits %}{{ c.x }}{% endfor %}"), [pull_request(commits=[])]),
        (template("x {{ event.payload.get('odd') }}"), [pull_request()]),
    ],
)
def test_a_field_that_may_be_there_is_not_complained_of(rest: str, given: Sequence[Fixture]) -> None:
    assert said(rest, "no-such-field", fixtures=given) == []


def test_fields_in_blocks_loops_and_tags_are_looked_for_too() -> None:
    blocks = [{"message": "{{ event.payload.odd1 }}"}, {"each": "event.payload.odd2", "message": "x"}]
    rest = template("x", blocks=blocks).replace("template: t", "template: t, tag: 'x {{ event.payload[\"odd3\"] }}'")

    assert places(rest, "no-such-field", fixtures=[pull_request()]) == [
        "templates.t.blocks.0.message",
        "templates.t.blocks.1.each",
        "rules.0.tag",
    ]


def test_a_template_that_fails_on_a_fixture_is_found() -> None:
    (message,) = said(template("x {{ 1 / 0 }}"), "template-fails", fixtures=[pull_request(whole=False)])

    assert message.startswith("on opened.http: the template failed: ZeroDivisionError at text")


def test_blocks_that_are_cut_on_a_fixture_are_found() -> None:
    rest = template("x", blocks=[{"each": "event.payload.many", "message": "{{ item }}"}])
    many = pull_request(many=["x" * 500] * 100)

    assert places(rest, "cut", fixtures=[many]) == ["templates.t"]
    assert "left out" in said(rest, "cut", fixtures=[many])[0]
    assert said(rest, "cut", fixtures=[pull_request()]) == []


def test_a_fixture_is_for_the_sources_of_its_kind_and_one_that_cannot_be_read_is_told() -> None:
    by_kind = Fixture(
        name="x.http", request=Request(method="POST", path="/in/alertmanager", headers={}, body=b"{}"), whole=True
    )

    (message,) = said(rule(), "bad-fixture", fixtures=[by_kind])
    assert message.startswith("cannot read the fixture x.http")


# ── Silencing ─────────────────────────────────────────────────────────────────────────────────────────────────────

SHADOWED = "rules:\n- to: ivan\n{above}\n- to: olga{behind}\n"


@pytest.mark.parametrize(
    ("above", "behind", "told"),
    [
        ("", "", 1),
        ("# ignore: shadowed", "", 0),
        ("", "  # ignore: shadowed", 0),
        ("# ignore: same-tag, shadowed", "", 0),
        ("# ignore: shadowed\n# and this is why", "", 0),
        ("# ignore: same-tag", "", 1),
        ("# shadowed", "", 1),
    ],
)
def test_a_comment_silences_what_it_names_at_its_line_or_the_next(above: str, behind: str, told: int) -> None:
    assert len(said(SHADOWED.format(above=above, behind=behind), "shadowed")) == told


def test_ignoring_a_code_silences_it_everywhere() -> None:
    rest = SHADOWED.format(above="", behind="")

    assert said(rest, "shadowed", ignore=["shadowed"]) == []
    assert said(rest, "looked-up", ignore=["shadowed"]) != []


def test_a_comment_that_names_no_finding_is_complained_of() -> None:
    (message,) = said(SHADOWED.format(above="# ignore: shadowd", behind=""), "bad-ignore")

    assert message.endswith("did you mean shadowed?")


def test_an_error_cannot_be_silenced() -> None:
    checked = check(f"{HEAD}rules:\n- to: nobody-known  # ignore: no-id\n", env=ENV, ignore=list(CODES))

    assert (checked.rules, [each.level for each in checked.complaints]) == (None, ["error"])


def test_what_is_found_in_an_included_file_is_told_and_silenced_there() -> None:
    texts = {"rules.d/a.yaml": "rules:\n- to: ivan\n- to: olga\n- to: petr  # ignore: shadowed\n"}

    def reader(pattern: str, _by: str) -> Sequence[Found]:
        return [Found(pattern, texts[pattern])]

    checked = check(f"{HEAD}include: [rules.d/a.yaml]\n", env=ENV, reader=reader)

    found = [(each.file, each.line) for each in checked.complaints if each.code == "shadowed"]
    assert found == [("rules.d/a.yaml", 3)]


def test_findings_know_their_level() -> None:
    assert {each.level for each in findings(rule()) if each.code} <= {"warning", "note"}
    assert set(CODES.values()) == {"warning", "note"}


def test_every_code_that_loading_gives_can_be_silenced() -> None:
    """They are written where the rules are loaded, as the last argument of a warning."""
    rules = Path(__file__).parents[3] / "relay" / "rules"
    sources = [path.read_text(encoding="utf-8") for path in rules.glob("*.py")]
    given = {code for text in sources for code in re.findall(r'"([a-z]+-[a-z]+)"\s*\)', text) if "warning(" in text}

    assert {"no-id", "clear-secret", "dead-time"} <= given & set(CODES)

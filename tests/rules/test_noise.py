"""Groups, digests, repeats, inhibition and silences: what is kept back, for how long, and what comes of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from relay.model import Event, Message
from relay.rules import Decision, Memory, Rules, decide, silences
from relay.rules import noise as noise_room
from relay.rules.conditions import Vocabulary
from relay.rules.ripening import Ripe, ripen
from tests.rules.books import book

START = datetime(2026, 11, 23, 12, tzinfo=UTC)


class Play:
    """Events one after another against rules, with a clock that is moved by hand; what is due is told as it passes."""

    def __init__(self, rules: Rules) -> None:
        self.rules = rules
        self.memory = Memory()
        self.now = START
        self.journal: list[Event] = []
        self.told: list[Message] = []

    def comes(self, **words: Any) -> Decision:
        plain: dict[str, Any] = {"source": "alerts", "type": "alertmanager", "event": "alert", "state": "firing"}
        event = Event(**{"key": words.get("title", ""), **plain, **words, "id": len(self.journal) + 1})
        self.journal.append(event)
        decision = decide(event, self.rules, self.memory, self.now)
        self.memory.keep(decision.changes)
        self.told += decision.messages
        return decision

    def passes(self, **time: float) -> list[Message]:
        """What is told while the time passes, second by second."""
        end, before = self.now + timedelta(**time), len(self.told)
        while self.now < end:
            self.now += timedelta(seconds=1)
            for name in list(self.memory.changes):
                self.told += [ripe.message for ripe in self.ripen(name)]
        return self.told[before:]

    def ripen(self, name: str) -> Sequence[Ripe]:
        def events_of(references: Sequence[Any]) -> list[Event]:
            return [self.journal[each["event"] - 1] for each in references]

        return ripen(name, self.rules, self.memory, events_of, self.now)

    def silence(self, when: dict[str, Any], *, until: datetime, why: str = "works", idle: float = 1e9) -> str:
        note = silences.written(
            when=when, starts=self.now.timestamp(), until=until.timestamp(), idle=idle, who="olga", why=why
        )
        name = f"{silences.PREFIX}{1 + sum(name.startswith(silences.PREFIX) for name in self.memory.changes)}"
        self.memory.put(name, note)
        self.hear_silences()
        return name

    def over(self, name: str) -> str:
        note = self.memory.get(name)
        assert note is not None
        return str(note.value["over"])

    def hear_silences(self) -> None:
        """As the router does for each turn."""
        found = {name: note for name, note in self.memory.changes.items() if note and name.startswith(silences.PREFIX)}
        vocabulary = Vocabulary(tuple(self.rules.sources), ())
        self.memory.silences = silences.read(found, vocabulary)


def play(rule: str, rest: str = "") -> Play:
    return Play(book(f"rules:\n  - {{name: alerts, to: olga, {rule}}}\n{rest}"))


def minutes(count: float) -> datetime:
    return START + timedelta(minutes=count)


# ── Groups ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_group_is_told_once_after_its_wait_and_lists_its_events() -> None:
    it = play("group: {wait: 30s}")
    first = it.comes(title="DiskFull")
    it.comes(title="DiskSlow")

    assert first.outcome == "grouped"
    assert it.told == []
    assert it.passes(seconds=29) == []
    (message,) = it.passes(seconds=1)
    assert "2 events" in message.text
    assert "DiskFull, DiskSlow" in message.text


def test_a_group_waits_from_its_first_event_and_not_from_its_last() -> None:
    it = play("group: {wait: 30s}")
    it.comes(title="DiskFull")
    it.passes(seconds=20)
    it.comes(title="DiskSlow")

    assert len(it.passes(seconds=10)) == 1


def test_what_has_no_end_stays_in_its_group_till_the_next_interval() -> None:
    it = play("group: {wait: 30s, interval: 5m}")
    it.comes(title="first", state="info")
    it.passes(seconds=40)
    it.comes(title="second", state="info")

    (grown,) = it.passes(minutes=5)
    assert "2 events" in grown.text


def test_a_group_began_when_the_first_of_it_began() -> None:
    it = play("group: {wait: 30s}, template: {text: 'since {{ event.started_at }}'}")
    for title, began in (("a", ""), ("b", "2026-11-23T11:59:00Z"), ("c", "2026-11-23T11:58:00Z")):
        it.comes(title=title, started_at=began)

    (message,) = it.passes(seconds=30)
    assert message.text == "since 2026-11-23T11:58:00Z"


def test_a_group_that_has_nothing_new_is_left_alone() -> None:
    it = play("group: {wait: 30s, interval: 5m}")
    it.comes(title="DiskFull")
    it.passes(minutes=6)

    (note,) = it.memory.changes.values()
    assert note is not None
    assert note.due is not None
    assert note.due > (it.now + timedelta(days=1)).timestamp()


def test_a_group_is_told_again_at_its_interval_and_only_when_something_has_changed() -> None:
    it = play("group: {wait: 30s, interval: 5m}")
    it.comes(title="DiskFull")
    (first,) = it.passes(seconds=30)
    assert it.passes(minutes=11) == []
    it.comes(title="DiskSlow")
    assert it.passes(minutes=3.9) == [], "it is told at whole intervals from the first time, as Alertmanager does"
    (second,) = it.passes(minutes=0.1)

    assert second.tag == first.tag, "the grown group replaces the smaller one"
    assert "2 events" in second.text


def test_the_same_event_again_changes_nothing() -> None:
    it = play("group: {wait: 30s, interval: 5m}")
    it.comes(title="DiskFull")
    it.passes(seconds=30)
    it.comes(title="DiskFull")

    assert it.passes(minutes=10) == []


def test_a_group_is_resolved_when_all_of_it_is_and_the_next_one_waits_anew() -> None:
    it = play("group: {wait: 30s, interval: 5m}")
    it.comes(title="DiskFull")
    it.comes(title="DiskSlow")
    it.passes(seconds=30)
    it.comes(title="DiskFull", state="resolved")
    (half,) = it.passes(minutes=5)
    it.comes(title="DiskSlow", state="resolved")
    (whole,) = it.passes(minutes=5)
    it.comes(title="DiskFull")

    assert "1 resolved" in half.text
    assert whole.text.startswith("✅")
    assert half.tag == whole.tag
    assert len(it.passes(seconds=30)) == 1, "a new group, which waits for its wait and not for the interval"


def test_what_came_and_went_within_the_wait_is_not_told() -> None:
    it = play("group: {wait: 30s}")
    it.comes(title="Flapping")
    it.comes(title="Flapping", state="resolved")

    assert it.passes(minutes=10) == []


def test_events_are_told_apart_by_the_words_of_by() -> None:
    it = play("group: {by: [labels.cluster], wait: 30s}")
    it.comes(title="DiskFull", labels={"cluster": "a"})
    it.comes(title="DiskFull", key="b", labels={"cluster": "b"})
    it.comes(title="DiskSlow", labels={"cluster": "a"})

    told = it.passes(seconds=30)
    assert sorted(message.text.count("Disk") for message in told) == [1, 2]
    assert len({message.tag for message in told}) == 2


def test_events_without_an_end_are_gathered_and_then_done_with() -> None:
    it = play("group: {wait: 30s, interval: 5m}")
    it.comes(title="one", state="info")
    it.comes(title="two", state="info", key="other")
    assert len(it.passes(seconds=30)) == 1
    it.passes(minutes=10)
    it.comes(title="three", state="info", key="third")
    (later,) = it.passes(seconds=30)

    assert "1 event" in later.text


def test_a_group_lists_no_more_than_it_is_told_to_and_says_how_many_more() -> None:
    it = play("group: {wait: 30s, max: 3}")
    for number in range(10):
        it.comes(title=f"alert {number}")

    (message,) = it.passes(seconds=30)
    assert message.attach is not None
    assert "+7 more" in str(message.attach)
    assert "10 events" in message.text


def test_a_child_takes_back_the_group_it_inherits() -> None:
    rules = """
rules:
  - {name: alerts, to: olga, group: {wait: 30s}, rules: [{name: worst, when: {severity: critical}, group: false}]}
"""
    it = Play(book(rules))

    assert it.comes(title="a", severity="critical").outcome == "addressed"
    assert it.comes(title="a").outcome == "grouped"


@pytest.mark.parametrize("noise", ["group: {wait: 30s}", "throttle: {max: 1, per: 30s}"])
def test_what_was_gathered_by_a_rule_that_is_no_more_is_told_and_forgotten(noise: str) -> None:
    it = play(noise)
    it.comes(title="DiskSlow")
    it.comes(title="DiskFull")
    it.rules = book("rules:\n  - {name: others, to: ivan}\n")

    (message,) = it.passes(minutes=10)
    assert "DiskFull" in message.text
    assert not [note for note in it.memory.changes.values() if note]


def test_an_event_without_an_end_is_told_each_time_that_it_comes_also_under_the_same_key() -> None:
    it = play("group: {wait: 30s, interval: 5m}")
    it.comes(title="push 1", key="main", state="info")
    it.comes(title="push 2", key="main", state="info")
    (first,) = it.passes(seconds=30)
    it.comes(title="push 3", key="main", state="info")
    (second,) = it.passes(minutes=5)

    assert "push 1, push 2" in first.text
    assert "push 3" in second.text


def test_news_of_what_is_still_open_is_told() -> None:
    it = play("group: {wait: 30s, interval: 5m}")
    it.comes(title="PR", state="open")
    it.passes(seconds=30)
    it.comes(title="PR", state="open", action="synchronize")

    assert len(it.passes(minutes=5)) == 1


def test_a_group_is_not_over_while_one_that_was_only_counted_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(noise_room, "MOST_KEPT", 3)
    it = play("group: {wait: 30s, interval: 5m}")
    for number in range(4):
        it.comes(title=f"alert {number}")
    it.passes(seconds=30)
    for number in range(3):
        it.comes(title=f"alert {number}", state="resolved")
    (most,) = it.passes(minutes=5)
    assert "all resolved" not in most.text
    assert most.text.startswith("🔴")
    it.comes(title="alert 3", state="resolved")
    it.passes(minutes=10)

    assert not [note for note in it.memory.changes.values() if note]


@pytest.mark.parametrize(("noise", "held"), [("group: {wait: 10m}", 7), ("throttle: {max: 1, per: 10m}", 6)])
def test_no_more_is_remembered_than_the_bound_and_the_rest_is_counted(
    monkeypatch: pytest.MonkeyPatch, noise: str, held: int
) -> None:
    monkeypatch.setattr(noise_room, "MOST_KEPT", 3)
    it = play(noise)
    for number in range(7):
        it.comes(title=f"alert {number}")
    (note,) = it.memory.changes.values()
    assert note is not None
    assert (len(note.value["members"]), note.value["more"]) == (3, held - 3)

    (message,) = it.passes(minutes=10)
    assert f"{held} " in message.text


def test_a_group_tells_of_more_ends_than_it_lists() -> None:
    it = play("group: {wait: 30s, max: 2}")
    for number in range(9):
        it.comes(title=f"alert {number}")
    for number in range(5):
        it.comes(title=f"alert {number}", state="resolved")

    (message,) = it.passes(seconds=30)
    assert message.text.startswith("🔴 9 events, 5 resolved:")


# ── Throttle ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_throttle_lets_so_many_through_and_the_rest_comes_in_one_digest() -> None:
    it = play("throttle: {max: 2, per: 10m}")
    outcomes = [it.comes(title=f"alert {number}").outcome for number in range(5)]
    told = it.passes(minutes=10)

    assert outcomes == ["addressed", "addressed", "throttled", "throttled", "throttled"]
    (digest,) = told
    assert "3 more events" in digest.text
    assert "alert 4" in digest.text


def test_after_the_digest_the_count_begins_anew() -> None:
    it = play("throttle: {max: 1, per: 10m}")
    it.comes(title="a")
    it.comes(title="b")
    it.passes(minutes=10)

    assert it.comes(title="c").outcome == "addressed"


def test_the_count_begins_anew_at_the_end_of_its_time_though_nobody_has_looked_since() -> None:
    it = play("throttle: {max: 1, per: 10m}")
    it.comes(title="a")
    it.now = minutes(10)

    assert it.comes(title="b").outcome == "addressed"


def test_a_throttle_that_held_nothing_says_nothing() -> None:
    it = play("throttle: {max: 2, per: 10m}")
    it.comes(title="a")

    assert it.passes(minutes=20) == []


def test_a_throttle_lets_the_end_of_what_was_told_through() -> None:
    it = play("throttle: {max: 1, per: 10m}")
    it.comes(title="a")

    assert it.comes(title="a", state="resolved").outcome == "addressed"


def test_a_throttle_counts_for_each_person_alone() -> None:
    it = Play(book("rules:\n  - {name: alerts, to: {label: owner}, throttle: {max: 1, per: 10m}}\n"))

    assert it.comes(title="a", labels={"owner": "ivan"}).outcome == "addressed"
    assert it.comes(title="b", labels={"owner": "olga"}).outcome == "addressed"
    assert it.comes(title="c", labels={"owner": "olga"}).outcome == "throttled"


# ── Repeat ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_same_words_are_not_told_again_before_their_time() -> None:
    it = play("repeat: 4h")
    outcomes = [it.comes(title="DiskFull").outcome]
    it.passes(hours=1)
    outcomes.append(it.comes(title="DiskFull").outcome)
    it.passes(hours=3)
    outcomes.append(it.comes(title="DiskFull").outcome)

    assert outcomes == ["addressed", "repeated", "addressed"]


def test_another_state_is_told_at_once_and_so_is_what_comes_back() -> None:
    it = play("repeat: 4h")
    states = ["firing", "resolved", "firing"]

    assert [it.comes(title="DiskFull", state=state).outcome for state in states] == ["addressed"] * 3


@pytest.mark.parametrize("on_resolve", ["delete", "skip"])
def test_what_begins_anew_is_told_although_nobody_was_told_that_it_had_ended(on_resolve: str) -> None:
    it = play(f"repeat: 4h, on_resolve: {on_resolve}")
    outcomes = [it.comes(title="DiskFull", state=state).outcome for state in ("firing", "resolved", "firing")]

    assert outcomes[0] == outcomes[2] == "addressed"


# ── Inhibition ────────────────────────────────────────────────────────────────────────────────────────────────

INHIBIT = """
inhibit:
  - {name: cluster down, source: {labels.alertname: ClusterDown}, target: {severity: warning}, equal: [labels.cluster]}
"""


def down(it: Play, state: str = "firing", cluster: str = "a") -> Decision:
    return it.comes(key="down", title="down", state=state, labels={"alertname": "ClusterDown", "cluster": cluster})


def slow(it: Play, cluster: str = "a", severity: str = "warning") -> str:
    return it.comes(title="slow", severity=severity, labels={"cluster": cluster}).outcome


def test_while_the_cause_lasts_its_consequences_are_not_told() -> None:
    it = play("when: {}", INHIBIT)
    before = slow(it)
    cause = down(it)

    assert (before, cause.outcome) == ("addressed", "addressed")
    assert slow(it) == "inhibited"
    assert slow(it, cluster="b") == "addressed"
    assert slow(it, severity="critical") == "addressed"
    down(it, "resolved")
    assert slow(it) == "addressed"


def test_a_cause_ends_with_its_event_also_where_its_conditions_ask_for_a_firing_one() -> None:
    it = play("when: {}", INHIBIT.replace("source: {", "source: {state: firing, "))
    down(it)
    down(it, "resolved")

    assert slow(it) == "addressed"


def test_the_end_of_what_was_told_before_its_cause_came_is_told() -> None:
    it = play("when: {}", INHIBIT)
    slow(it)
    down(it)
    labels = {"cluster": "a"}

    assert it.comes(title="slow", severity="warning", labels=labels, state="resolved").outcome == "addressed"
    assert it.comes(title="late", severity="warning", labels=labels).outcome == "inhibited"
    assert it.comes(title="late", severity="warning", labels=labels, state="resolved").outcome == "inhibited"


def test_of_two_causes_both_must_end() -> None:
    it = play("when: {}", INHIBIT)
    down(it)
    it.comes(key="other", title="x", labels={"alertname": "ClusterDown", "cluster": "a"})
    down(it, "resolved")

    assert slow(it) == "inhibited"


def test_a_cause_of_which_nobody_speaks_any_more_inhibits_for_a_day() -> None:
    it = play("when: {}", INHIBIT)
    down(it)
    it.now += timedelta(hours=23)
    assert slow(it) == "inhibited"
    it.now += timedelta(hours=2)
    assert slow(it) == "addressed"


# ── Shifts ────────────────────────────────────────────────────────────────────────────────────────────────────

SHIFTS = """
oncall:
  sre: {handoff: "13:00", rotation: [ivan, olga], from: 2026-11-22}
rules:
  - {name: alerts, to: oncall/sre}
"""


def test_who_was_told_on_an_earlier_shift_hears_the_end_too() -> None:
    it = Play(book(SHIFTS))
    first = [message.person for message in it.comes(title="DiskFull").messages]
    it.now = minutes(120)
    second = [message.person for message in it.comes(title="other").messages]
    ended = [message.person for message in it.comes(title="DiskFull", state="resolved").messages]

    assert len(first) == len(second) == 1
    assert first != second
    assert ended == [*second, *first]
    assert [message.person for message in it.comes(title="DiskFull", state="resolved").messages] == second


# ── Silences ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_silenced_is_not_told_but_that_it_is_silenced_is_told_once() -> None:
    it = play("when: {}")
    it.silence({"labels.env": "stage"}, until=minutes(60))
    first = it.comes(title="a", labels={"env": "stage"})
    second = it.comes(title="b", labels={"env": "stage"})

    assert (first.outcome, second.outcome) == ("silenced", "silenced")
    assert [message.text for message in first.messages] == ["🔕 Silenced until 23 Nov 13:00: works, by olga"]
    assert second.messages == ()
    assert it.comes(title="a", labels={"env": "prod"}).outcome == "addressed"


def test_when_a_silence_ends_those_whom_it_silenced_hear_how_much_there_was() -> None:
    it = play("when: {}")
    name = it.silence({"labels.env": "stage"}, until=minutes(5))
    for _ in range(3):
        it.comes(title="a", labels={"env": "stage"})
    begun = it.told[-1]
    (ended,) = it.passes(minutes=6)
    it.hear_silences()

    assert it.over(name) == "expired"
    assert "3 notifications were kept back" in ended.text
    assert ended.tag == begun.tag, "the end replaces the beginning"
    assert it.comes(title="a", labels={"env": "stage"}).outcome == "addressed"


def test_the_end_of_what_was_told_before_a_silence_is_told_and_of_what_it_kept_back_is_not() -> None:
    it = play("when: {}")
    it.comes(title="before", labels={"env": "stage"})
    it.silence({"labels.env": "stage"}, until=minutes(60))
    it.comes(title="within", labels={"env": "stage"})

    assert it.comes(title="before", labels={"env": "stage"}, state="resolved").outcome == "addressed"
    assert it.comes(title="within", labels={"env": "stage"}, state="resolved").outcome == "silenced"


def test_nobody_hears_of_a_silence_that_silenced_nothing() -> None:
    it = play("when: {}")
    it.silence({"labels.env": "stage"}, until=minutes(5))

    assert it.passes(minutes=6) == []


def test_a_silence_that_nothing_has_matched_for_long_ends_by_itself() -> None:
    it = play("when: {}")
    name = it.silence({"labels.env": "stage"}, until=minutes(600), idle=600)
    it.passes(minutes=9)
    it.comes(title="a", labels={"env": "stage"})
    it.passes(minutes=9)
    assert it.over(name) == ""
    it.passes(minutes=2)

    assert it.over(name) == "unused"


@pytest.mark.parametrize("when", [{"no_such_word": "x"}, {"if": "number >"}])
def test_a_silence_that_the_rules_do_not_understand_any_more_silences_nothing(when: dict[str, Any]) -> None:
    it = play("when: {}")
    it.silence(when, until=minutes(60))

    assert it.comes(title="a").outcome == "addressed"


@pytest.mark.parametrize("noise", ["group: {wait: 30s}", "throttle: {max: 1, per: 10m}", "repeat: 1h"])
def test_a_decision_does_not_change_the_memory_that_it_was_given(noise: str) -> None:
    it = play(noise)
    event = Event(source="alerts", type="alertmanager", event="alert", state="firing", title="a", id=1)
    memory = Memory()

    assert decide(event, it.rules, memory, START).changes
    assert memory.changes == {}
    first, second = (decide(event, it.rules, memory, START) for _ in range(2))
    assert (first.messages, first.changes) == (second.messages, second.changes)


@pytest.mark.parametrize("noise", ["group: {wait: 30s}", "throttle: {max: 1, per: 10m}", "repeat: 1h"])
def test_what_is_asked_for_by_hand_is_not_kept_back(noise: str) -> None:
    it = play(noise)
    it.memory = Memory(lets_through=True)

    assert [it.comes(title="a").outcome for _ in range(3)] == ["addressed"] * 3

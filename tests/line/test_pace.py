"""The portal is asked as fast as it allows and never faster: over a storm it refuses nothing."""

from __future__ import annotations

from collections.abc import Callable

from tests.line.conftest import Line


def test_a_storm_of_a_thousand_events_is_never_refused(make_line: Callable[..., Line]) -> None:
    line = make_line(mode="token")  # the standard plan: 2 a second over 50
    line.start()
    for number in range(1000):
        assert line.deploy(service=f"service {number}").status_code == 202
    line.until(line.settled)

    assert line.states() == {"delivered": 1000}
    assert line.portal.counters["refused"] == 0
    requests = line.portal.counters["requests"]
    assert requests < 200, "a backlog goes in batches"


def test_with_room_in_the_bucket_each_message_is_a_call_of_its_own(line: Line) -> None:
    for number in range(5):
        line.deploy(service=f"service {number}")
    line.until(line.settled)

    assert [call.method for call in line.portal.calls()] == ["im.notify.personal.add"] * 5


def test_no_key_is_ever_in_two_calls_at_once(make_line: Callable[..., Line]) -> None:
    line = make_line(mode="webhook", command_seconds=0.02, rate="unlimited", rules=UNTAGGED)
    line.start()
    for number in range(60):
        line.deploy(service=f"service {number % 3}", title=f"service {number % 3}: {number // 3}")
    line.until(line.settled)

    for key in range(3):
        sent = [
            command.params["MESSAGE"]
            for command in line.portal.commands("im.notify.personal.add")
            if str(command.params["MESSAGE"]).startswith(f"service {key}:")
        ]
        assert sent == [f"service {key}: {number}" for number in range(20)]


UNTAGGED = """\
version: 1
portal: {portal}
sources:
  deploys: {{type: json, bearer: "${{BEARER}}", key: payload.id, tag: payload.service, title: payload.title}}
people:
  ivan: {{id: 17}}
rules:
  - {{to: ivan, tag: "", template: {{text: "{{{{ event.title }}}}"}}}}
"""

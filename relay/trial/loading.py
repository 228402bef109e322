"""The text of `tests.yml` → cases, or everything that is wrong with it, each fault at its line and column.

Never runs a test, and reads no file itself: how a fixture is read is handed in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from typing import Any

from relay import fixture, router
from relay.errors import BadRules, Complaint
from relay.fixture import BadFixture
from relay.rules import Rules, document
from relay.rules.complaints import Complaints
from relay.rules.document import Path, Unreadable
from relay.rules.people import PORTAL_ID
from relay.rules.pieces import validated
from relay.rules.sentences import did_you_mean
from relay.trial.case import REASONS, Case, Expected, Step
from relay.trial.changes import changed
from relay.trial.language import CasePart, ExpectedPart, StepPart
from relay.trial.moment import USUAL

VERSION = 1
SECTIONS = ("version", "tests")
NOBODY = "none"  # `expect: none`


class BadTests(BadRules):
    """The tests cannot be used. ``complaints`` holds every fault found, in the order of the file."""


def load(text: str, *, rules: Rules, read: Callable[[str], bytes], file: str = "tests.yml") -> tuple[Case, ...]:
    """Read and check a file of tests.

    Args:
        text: the file's text.
        rules: those that are tested: persons, rules and sources must be theirs.
        read: gives the bytes of a fixture by the path that a test says, or raises OSError.
        file: the name that complaints give the file.

    Raises:
        BadTests: it cannot be used; holds every complaint, in the order of the file.
    """
    complaints = Complaints(file)
    try:
        complaints.document = document.read(text.removeprefix("\ufeff"), complaints.at_place)
    except Unreadable as fault:
        raise BadTests(
            [*complaints.errors, Complaint(fault.place.line, fault.place.column, "", fault.message, file=file)]
        ) from None
    data = complaints.document.data
    for path in complaints.document.blanks:
        if not _is_null(path, data):
            complaints.settling(path, "has no value: give one, or take it out")
    cases = _Reading(complaints, rules, read).cases(data)
    if complaints.errors:
        raise BadTests(complaints.errors)
    return cases


def _is_null(path: Path, data: Any) -> bool:
    """Under `set:` a key without a value is JSON's null: it is put back into the data."""
    if "set" not in path[:-1]:
        return False
    for step in path[:-1]:
        data = data[step]
    if isinstance(data, dict):
        data[path[-1]] = None
    return True


@dataclass(frozen=True, slots=True)
class _Reading:
    """What tests are read against."""

    complaints: Complaints
    rules: Rules
    read: Callable[[str], bytes]

    def cases(self, data: Any) -> tuple[Case, ...]:
        if not isinstance(data, dict):
            self.complaints.error((), "must be a mapping: version: 1, and tests:")
            return ()
        for key in data:
            if key not in SECTIONS:
                self.complaints.key((key,), f"unknown section {key}{did_you_mean(key, SECTIONS)}")
        if data.get("version") != VERSION or isinstance(data.get("version"), bool):
            self.complaints.error(("version",), f"begin the file with version: {VERSION}, the only one there is")
        tests = data.get("tests")
        if not isinstance(tests, list) or not tests:
            self.complaints.error(("tests",), "must be a list of tests, each beginning with a dash")
            return ()
        found = [self.case(each, ("tests", index)) for index, each in enumerate(tests)]
        self.check_names(tests)
        return tuple(case for case in found if case is not None)

    def check_names(self, tests: Sequence[Any]) -> None:
        first: dict[str, int] = {}
        for index, test in enumerate(tests):
            name = test.get("name") if isinstance(test, dict) else None
            if isinstance(name, str) and first.setdefault(name, index) != index:
                line = self.complaints.document.place(("tests", first[name])).line
                self.complaints.error(("tests", index, "name"), f"is also the name of the test at line {line}")

    def case(self, data: Any, path: Path) -> Case | None:
        part = validated(CasePart, data, path, self.complaints)
        if part is None:
            return None
        at = part.at or USUAL
        before = [
            self.step(each, (*path, "before", index), each.at or at, number=index + 1)
            for index, each in enumerate(part.before)
        ]
        step = self.step(part, path, at, number=len(before) + 1)
        moments = [*(each.at or at for each in part.before), at]
        for index, (earlier, later) in enumerate(pairwise(moments)):
            if earlier > later:
                self.complaints.error((*path, "before", index, "at"), "is later than the event that comes after it")
        expect = self.expect(part.expect, (*path, "expect"))
        self.check_because(part, path)
        if step is None or None in before:
            return None
        return Case(
            name=part.name,
            line=self.complaints.document.place(path).line,
            before=tuple(each for each in before if each is not None),
            step=step,
            expect=expect,
            because=part.because,
        )

    # ── Steps ────────────────────────────────────────────────────────────────────────────────────────────────

    def step(self, part: StepPart, path: Path, at: datetime, *, number: int) -> Step | None:
        """``number`` stands for the journal's: what is gathered refers to its events by it."""
        here = (*path, "fixture")
        try:
            request = fixture.parse(self.read(part.fixture))
        except (OSError, ValueError) as fault:  # ValueError: no path at all
            self.complaints.error(here, f"cannot be read: {getattr(fault, 'strerror', None) or 'this is no path'}")
            return None
        except BadFixture as fault:
            self.complaints.error(here, f"is not an HTTP request: {fault}")
            return None
        entry = replace(router.unjournalled(request, received_at=at.timestamp()), id=number)
        if entry.source not in self.rules.sources:
            known = did_you_mean(entry.source, self.rules.sources)
            self.complaints.error(here, f"posts to a source that the rules do not have{known}")
            return None
        request = changed(
            request, part.changes, lambda key, sentence: self.complaints.error((*path, "set", key), sentence)
        )
        return Step(entry=replace(entry, request=request), at=at, signed=part.signed)

    # ── Expectations ─────────────────────────────────────────────────────────────────────────────────────────

    def expect(self, data: Any, path: Path) -> tuple[Expected, ...]:
        if data == NOBODY:
            return ()
        if not isinstance(data, list) or not data:
            self.complaints.error(path, "must be none, or a list of messages such as [{person: ivan}]")
            return ()
        found = [self.expected(each, (*path, index)) for index, each in enumerate(data)]
        return tuple(each for each in found if each is not None)

    def expected(self, data: Any, path: Path) -> Expected | None:
        part = validated(ExpectedPart, data, path, self.complaints)
        if part is None:
            return None
        if part.rule is not None:
            self.check_known(part.rule, [rule.name for rule in self.rules.every()], (*path, "rule"), "no rule")
        said: dict[str, Any] = {name: getattr(part, name) for name in ExpectedPart.model_fields}
        return Expected(**said | {"person": self.person(part.person, (*path, "person"))})

    def person(self, name: str, path: Path) -> str:
        """The person's name in messages: an id of the portal may stand for it."""
        if PORTAL_ID.fullmatch(name):
            return self.rules.directory.by_portal_id(int(name)).name
        self.check_known(name, self.rules.people, path, "nobody")
        return name

    def check_known(self, name: str, known: Mapping[str, Any] | Sequence[str], path: Path, none: str) -> None:
        if name not in known:
            self.complaints.error(path, f"{none} is called {name}{did_you_mean(name, known)}")

    def check_because(self, part: CasePart, path: Path) -> None:
        if part.because is None:
            return
        here = (*path, "because")
        if part.expect != NOBODY:
            self.complaints.key(here, "is only for expect: none")
        elif part.because not in REASONS:
            self.complaints.error(here, f"there is no such reason{did_you_mean(part.because, REASONS)}")

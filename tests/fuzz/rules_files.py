"""Rules files changed at random: each is loaded, or complained of at a line and a column, and soon.

Never part of the test run but for a few dozen. `make fuzz-rules` tries 1,000; `ARGS="--count 20000 --seed 2"` others.

Every whole rules file of the tree, and every piece of one in the documents, has its text or its structure changed. What
loads must decide the stored requests of its senders. No complaint may hold a secret of the environment.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random

from relay import house, router
from relay.errors import BadRules, Complaint, Refused
from relay.rules import Memory, Rules
from tests.fuzz.changes import drawn
from tests.fuzz.rules_changed import CANARY, Good, changed, environment, good
from tests.sources import every_sender

# Of the processor, for a file of some hundred lines. A door goes on with the rules that it has while it reads others,
# and does not give up a request for less than ten seconds (GitHub's patience); two leave room for a slower machine.
LONGEST = 2.0
EVENTS = 6  # decided by each file that loads
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
MOST_SAVED = 20
SLOW = 3
_LINE_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")  # YAML 1.1 §5.4, as its reader counts


# ── Judging ───────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What became of one file. ``faults`` is what must not be."""

    number: int
    loaded: bool
    seconds: float
    decided: int = 0
    complaints: int = 0
    faults: tuple[str, ...] = ()


def tried(number: int, raw: bytes, folder: Path, draw: Random) -> Verdict:
    """Load a file and let it decide; and check it, as `relay check` does."""
    path = folder / "rules.yaml"
    path.write_bytes(raw)
    env = environment(raw.decode("utf-8", "ignore"))
    began = time.thread_time()
    try:
        rules, complaints = _loaded(path, env)
        seconds = time.thread_time() - began
        checked = house.check_rules(path, env)
        decided = 0 if rules is None else _decided(rules, draw)
    except Exception:  # whatever it is, it is what is looked for
        return Verdict(number=number, loaded=False, seconds=0.0, faults=(traceback.format_exc(),))
    faults = [*_wrong(complaints, raw), *_wrong(checked.complaints, raw)]
    if (rules is None) is not (checked.rules is None) or (rules is None) is not _has_errors(complaints):
        faults.append("whether it loads, its complaints and `relay check` do not agree")
    if seconds > LONGEST:
        faults.append(f"{seconds:.1f} s of the processor to load it")
    return Verdict(
        number=number,
        loaded=rules is not None,
        seconds=seconds,
        decided=decided,
        complaints=len(complaints),
        faults=tuple(faults),
    )


def _loaded(path: Path, env: Mapping[str, str]) -> tuple[Rules | None, Sequence[Complaint]]:
    try:
        return house.read_rules(path, env), ()
    except BadRules as refused:
        return None, refused.complaints


def _has_errors(complaints: Sequence[Complaint]) -> bool:
    return any(each.level == "error" for each in complaints)


def _wrong(complaints: Sequence[Complaint], raw: bytes) -> Iterator[str]:
    """What is wrong with complaints: no place in the file, no words, a secret."""
    lines = len(_LINE_BREAK.split(raw.decode("utf-8", "replace")))  # what is missing at the end is missed a line below
    for each in complaints:
        if CANARY in str(each):
            yield f"a complaint holds a secret: {str(each)[:300]}"
        if not (1 <= each.line <= lines + 1 and each.column >= 1 and each.message):
            yield f"no place, or no words: {each.line}:{each.column} {each.message!r:.100}"


def _decided(rules: Rules, draw: Random) -> int:
    """Decide some stored requests of the senders that the rules have; how many of them could be read."""
    memory, names, decided = Memory(), [*rules.sources], 0
    for _ in range(EVENTS):
        name = draw.choice(names)
        request = draw.choice([*every_sender.stored(rules.sources[name].type).values()])
        entry = router.unjournalled(replace(request, path=f"/in/{name}"), received_at=NOW.timestamp())
        with suppress(Refused):  # the source's places were changed to such as the request has no words in
            router.decisions_on(entry, rules, memory, NOW)
            decided += 1
    return decided


# ── Running ───────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(slots=True)
class Report:
    """What came of it."""

    tally: Counter[str] = field(default_factory=Counter)
    verdicts: list[Verdict] = field(default_factory=list)  # those with faults
    slowest: list[tuple[float, int, str]] = field(default_factory=list)  # seconds, number, the file it began as

    def add(self, verdict: Verdict, begun: Good) -> None:
        self.tally["loaded" if verdict.loaded else "refused"] += 1
        self.tally["decided"] += verdict.decided
        self.tally["complaints"] += verdict.complaints
        if verdict.faults:
            self.verdicts.append(verdict)
        self.slowest = sorted([*self.slowest, (verdict.seconds, verdict.number, begun.name)], reverse=True)[:SLOW]

    def as_text(self) -> str:
        told = self.tally
        return "\n".join(
            [
                f"{told['loaded'] + told['refused']:,} files of {len(good())}: {told['loaded']:,} loaded and decided "
                f"{told['decided']:,} requests, {told['refused']:,} refused with {told['complaints']:,} complaints",
                "the slowest to load, of the processor:",
                *(f"  {seconds * 1000:.0f} ms  {number}  {name}" for seconds, number, name in self.slowest),
                *(f"FAULT: {each.number}: {fault}" for each in self.verdicts for fault in each.faults[:3]),
            ]
        )


def run(*, count: int, seed: int, keep: Path | None = None) -> Report:
    """Try so many files; those with faults are kept in a folder."""
    report = Report()
    with tempfile.TemporaryDirectory(prefix="relay-fuzz-") as folder:
        for number in range(count):
            draw = drawn(seed, number)
            begun = draw.choice(good())
            raw = changed(draw, begun, good())
            verdict = tried(number, raw, Path(folder), draw)
            report.add(verdict, begun)
            if verdict.faults and keep is not None and len(report.verdicts) <= MOST_SAVED:
                keep.mkdir(parents=True, exist_ok=True)
                (keep / f"rules-{seed}-{number}.yaml").write_bytes(raw)
    return report


def main() -> None:
    asked = argparse.ArgumentParser(prog="python -m tests.fuzz.rules_files", description=__doc__)
    asked.add_argument("--count", type=int, default=1000)
    asked.add_argument("--seed", type=int, default=1)
    chosen = asked.parse_args()
    report = run(count=chosen.count, seed=chosen.seed, keep=Path("var/fuzz"))
    sys.stdout.write(f"{report.as_text()}\n")
    sys.exit(bool(report.verdicts))


if __name__ == "__main__":
    main()

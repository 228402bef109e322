"""How many changes the tests notice: mutants of some files, each tried on the tests that should see it.

Never writes into the tree: a mutant is loaded in place of its file, in a process of its own, so that other work can go
on beside it. A test that starts the relay as a program sees the file as it is. PostgreSQL is left out, for speed.

`make mutants ARGS="relay/bitrix/pace.py --each 40"`. Of a file with more mutants than that, as many are drawn, always
the same ones for a seed. A mutant counts as killed if a test fails, cannot be collected, or runs past its time.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from tempfile import TemporaryDirectory
from types import CodeType, ModuleType

import pytest

from tests.mutation.mutants import Mutant, difference, mutants
from tests.mutation.table import ROOT, TESTS

OPTIONS = ["-x", "-q", "-p", "no:cacheprovider", "--timeout=20", "--hypothesis-seed=0", "-k", "not postgresql"]
LONGER = 3  # times as long as the tests take without a mutant, and then some, it may run
KILLED = {pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.INTERRUPTED, pytest.ExitCode.INTERNAL_ERROR}


@dataclass
class Tally:
    of: int
    killed: int = 0
    timeouts: int = 0
    survivors: list[Mutant] = field(default_factory=list)

    @property
    def tried(self) -> int:
        return self.killed + self.timeouts + len(self.survivors)


def main() -> None:
    asked = argparse.ArgumentParser(prog="python -m tests.mutation.run", description=__doc__)
    asked.add_argument("files", nargs="*", default=list(TESTS), help="files of the table; without, all of them")
    asked.add_argument("--each", type=int, default=40, help="how many mutants of a file at most; 0 for all")
    asked.add_argument("--seed", default="relay", help="which of them are drawn")
    asked.add_argument("--lines", default="", help="only mutants of these lines: 10-25,40")
    chosen = asked.parse_args()
    sys.path.insert(0, str(ROOT))
    os.chdir(ROOT)
    tallies = {file: _try_file(file, chosen.each, chosen.seed, chosen.lines) for file in chosen.files}
    _say("\n| file | mutants | tried | killed | of them by time | survived |\n|---|--:|--:|--:|--:|--:|")
    for file, tally in tallies.items():
        killed = tally.killed + tally.timeouts
        _say(f"| {file} | {tally.of} | {tally.tried} | {killed} | {tally.timeouts} | {len(tally.survivors)} |")


def _try_file(file: str, each: int, seed: str, lines: str) -> Tally:
    source, tests = (ROOT / file).read_text(encoding="utf-8"), TESTS[file]
    every = mutants(source)
    _warm(tests)
    patience = 60 + LONGER * _seconds_without(file, source, tests)
    tally, started = Tally(len(every)), time.monotonic()
    for mutant in _drawn(every, each, f"{seed} {file}", lines):
        outcome = _outcome(file, mutant.source, tests, patience)
        _count(tally, mutant, outcome)
        if outcome in {None, pytest.ExitCode.OK}:  # by time may also mean that the machine was busy
            how = "ran too long" if outcome is None else "survived"
            _say(f"{file}:{mutant.line} {how}\n{difference(source, mutant)}")
    _say(f"{file}: {tally.killed + tally.timeouts} of {tally.tried} killed, {time.monotonic() - started:.0f} s")
    return tally


def _drawn(every: Sequence[Mutant], each: int, seed: str, lines: str) -> list[Mutant]:
    spans = [[int(line) for line in span.split("-")] for span in lines.split(",") if span]
    there = [one for one in every if not spans or any(span[0] <= one.line <= span[-1] for span in spans)]
    if not each or len(there) <= each:
        return there
    return [there[index] for index in sorted(random.Random(seed).sample(range(len(there)), each))]


def _seconds_without(file: str, source: str, tests: Sequence[str]) -> float:
    """How long the tests take if nothing is changed; if they fail then, they can judge nothing."""
    with TemporaryDirectory() as folder:
        said, started = Path(folder, "said.txt"), time.monotonic()
        if _outcome(file, source, tests, 900, said=str(said)) != pytest.ExitCode.OK:
            sys.exit(f"{file}: its tests fail as it is:\n{said.read_text(encoding='utf-8')[-3000:]}")
        return time.monotonic() - started


def _count(tally: Tally, mutant: Mutant, outcome: int | None) -> None:
    if outcome is None:
        tally.timeouts += 1
    elif outcome in KILLED:
        tally.killed += 1
    elif outcome == pytest.ExitCode.OK:
        tally.survivors.append(mutant)
    else:
        sys.exit(f"pytest could not be run at all: it ended with {outcome}")


# ── One run of the tests ──────────────────────────────────────────────────────────────────────────────────────────


def _warm(tests: Sequence[str]) -> None:
    """Load the libraries once, by collecting the tests: a child forgets only what is ours, and loads that anew."""
    said = os.dup(1), os.dup(2)
    try:
        _speak_into(os.devnull)
        pytest.main([*OPTIONS, "--collect-only", *tests])
    finally:
        for number, fd in enumerate(said, start=1):
            os.dup2(fd, number)
            os.close(fd)


def _outcome(file: str, source: str, tests: Sequence[str], patience: float, *, said: str = os.devnull) -> int | None:
    """How pytest ends with ``source`` in the place of ``file``; None if it did not within ``patience`` seconds."""
    child = multiprocessing.get_context("fork").Process(target=_child, args=(file, source, tests, said))
    child.start()
    child.join(patience)
    if child.exitcode is None:
        child.kill()
        child.join()
        return None
    return child.exitcode


def _child(file: str, source: str, tests: Sequence[str], said: str) -> None:
    _speak_into(said)
    for name in [name for name in sys.modules if name.partition(".")[0] in {"relay", "tests"}]:
        del sys.modules[name]
    sys.meta_path.insert(0, _InPlaceOf(file, source))
    _find_only()
    os._exit(pytest.main([*OPTIONS, *tests]))


def _find_only() -> None:
    """That a test fails is enough: nobody looks for the smallest example, or remembers it for another mutant."""
    from hypothesis import Phase, settings  # noqa: PLC0415 - pytest wants to be the first who imports it

    settings.register_profile("mutants", phases=(Phase.explicit, Phase.generate), database=None, deadline=None)
    settings.load_profile("mutants")


def _speak_into(path: str) -> None:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(file, 1)
    os.dup2(file, 2)
    os.close(file)


class _InPlaceOf(MetaPathFinder):
    """Finds one module, whose text is another than the one in its file."""

    def __init__(self, file: str, source: str) -> None:
        self._path = str(ROOT / file)
        self._name = file.removesuffix(".py").replace("/", ".")
        self._source = source

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != self._name:
            return None
        return spec_from_file_location(fullname, self._path, loader=_Text(fullname, self._path, self._source))


class _Text(SourceFileLoader):
    def __init__(self, name: str, path: str, source: str) -> None:
        super().__init__(name, path)
        self._source = source

    def get_code(self, fullname: str) -> CodeType:
        return compile(self._source, self.path, "exec", dont_inherit=True)


def _say(words: str) -> None:
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()

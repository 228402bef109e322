"""A coverage-guided search (atheris, libFuzzer) for a request on which a sender's reader fails.

Never part of the test run: atheris is not among its packages. `make fuzz SENDER=github SECONDS=60` makes an environment
for it; what it finds is left in var/ as a file `crash-…`, which given as an argument is tried again.

A request is believed and read. The reader may refuse it by a sentence (`Refused`), and by nothing else; what it reads
must be sound, and the built-in templates must have words for it. A second for one request is too long.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

LONGEST_SECONDS = 1.0
HOW = "atheris is not here: run `make fuzz`, or install tests/fuzz/requirements.txt into an environment of your own"
STRUCTURED = 0x53  # inputs that begin so change a stored request; any others are a body as it stands


def main() -> None:
    asked = argparse.ArgumentParser(prog="python -m tests.fuzz.senders", description=__doc__)
    asked.add_argument("sender", help="a kind of source: github, gitlab, json…")
    asked.add_argument("--seconds", type=int, default=60)
    asked.add_argument("inputs", nargs="*", help="files to try again, instead of searching")
    chosen = asked.parse_args()
    try:
        atheris = importlib.import_module("atheris")
    except ImportError:
        sys.exit(HOW)
    with atheris.instrument_imports(include=["relay.sources", "relay.fixture"]):
        importlib.import_module("relay.sources")
    from relay.sources import SENDERS  # noqa: PLC0415 - instrumented above

    if chosen.sender not in SENDERS:
        sys.exit(f"there is no kind of source {chosen.sender}: {', '.join(SENDERS)}")
    with tempfile.TemporaryDirectory(prefix="relay-fuzz-") as corpus:
        _search(atheris, chosen.sender, chosen.seconds, chosen.inputs, Path(corpus))


def _search(atheris: Any, kind: str, seconds: int, inputs: list[str], corpus: Path) -> None:
    from tests.sources import every_sender  # noqa: PLC0415 - after the instrumentation

    requests = [*every_sender.stored(kind).values()]
    for number, request in enumerate(requests):
        (corpus / f"body-{number}").write_bytes(bytes([number]) + request.body)
        (corpus / f"structured-{number}").write_bytes(bytes([STRUCTURED, number]) + bytes(range(64)))

    def try_one(data: bytes) -> None:
        if not data:
            return
        if data[0] == STRUCTURED:
            request = _changed(atheris.FuzzedDataProvider(data[1:]), kind, requests)
        else:
            request = replace(requests[data[0] % len(requests)], body=data[1:])
        started = time.monotonic()
        judge(kind, request)
        assert time.monotonic() - started < LONGEST_SECONDS, "this took too long"

    Path("var").mkdir(exist_ok=True)
    what = inputs or [str(corpus), f"-max_total_time={seconds}", "-max_len=20000"]
    atheris.Setup([sys.argv[0], *what, "-timeout=10", "-artifact_prefix=var/"], try_one)
    atheris.Fuzz()


def judge(kind: str, request: Any) -> None:
    """Read a request and word what it tells; it may be refused, and everything else is a finding."""
    from relay.errors import Refused  # noqa: PLC0415
    from relay.render import Reader, compose  # noqa: PLC0415
    from tests.sources import every_sender  # noqa: PLC0415

    try:
        reading = every_sender.read(kind, request)
    except Refused:
        return
    assert 0 < len(reading.delivery) <= 200
    for event in reading.events[:3]:
        every_sender.assert_sound(event)
        wording = compose(event, None, reader=Reader("Ivan", "en", "Europe/Moscow"), rule="r")
        assert "failed" not in wording.note, wording.note


def _changed(chosen: Any, kind: str, requests: list[Any]) -> Any:
    """A stored request with values dropped, doubled, put elsewhere or replaced, as the input says."""
    from tests.sources import every_sender  # noqa: PLC0415
    from tests.sources.posts import WRONG_TYPES, places, swapped  # noqa: PLC0415

    request = requests[chosen.ConsumeIntInRange(0, len(requests) - 1)]
    values = every_sender.payload(kind, request)
    for _ in range(chosen.ConsumeIntInRange(1, 6)):
        found = places(values)
        path = found[chosen.ConsumeIntInRange(0, len(found) - 1)]
        match chosen.ConsumeIntInRange(0, 5):
            case 0:
                new: Any = WRONG_TYPES[chosen.ConsumeIntInRange(0, len(WRONG_TYPES) - 1)]
            case 1:
                new = chosen.ConsumeUnicode(40)
            case 2:
                new = chosen.ConsumeInt(8)
            case 3:
                new = chosen.ConsumeFloat()
            case 4:
                new = _at(values, found[chosen.ConsumeIntInRange(0, len(found) - 1)])
            case _:
                new = [_at(values, path)] * 2
        values = swapped(values, path, new)
        if len(json.dumps(values)) > 100_000:  # what was put into itself grows fast
            break
    if chosen.ConsumeBool():
        name = [*request.headers][chosen.ConsumeIntInRange(0, len(request.headers) - 1)]
        said = "".join(sign for sign in chosen.ConsumeUnicodeNoSurrogates(40) if sign >= " " and sign != "\x7f")
        request = replace(request, headers={**request.headers, name: said.strip()})  # as HTTP lets it through
    return every_sender.with_payload(kind, request, values)


def _at(values: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        values = values[step]
    return values


if __name__ == "__main__":
    main()

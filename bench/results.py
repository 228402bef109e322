"""What a benchmark found, kept as JSON in `var/bench/`: the raw figures, and the rows that the table shows of them.

Never judges by a stopwatch of another day: a row is a ratio of two figures of one run, and its goal a bound of that.
"""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any, Self

FOLDER = Path(__file__).resolve().parent.parent / "var" / "bench"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table: our figure, the one beside it, and their ratio with its goal.

    ``theirs`` and ``ratio`` are None where there was nothing to measure beside; ``why`` then says so.
    """

    what: str
    unit: str
    ours: float
    beside: str
    theirs: float | None = None
    ratio: float | None = None
    at_least: float | None = None
    at_most: float | None = None
    why: str = ""

    @property
    def goal(self) -> str:
        if self.at_least is not None:
            return f">= {self.at_least:g}"
        return f"<= {self.at_most:g}" if self.at_most is not None else ""

    @property
    def verdict(self) -> str:
        if self.ratio is None:
            return "–"
        low = self.at_least is not None and self.ratio < self.at_least
        high = self.at_most is not None and self.ratio > self.at_most
        return "short" if low or high else "met" if self.goal else ""

    @classmethod
    def of(cls, ours: Sequence[float], theirs: Sequence[float], **words: Any) -> Self:
        """A row of figures taken by turns: the medians of both, and the median of the ratios of each turn."""
        pairs = zip(ours, theirs, strict=True)
        return cls(
            ours=median(ours), theirs=median(theirs), ratio=median(mine / other for mine, other in pairs), **words
        )

    @classmethod
    def bound(cls, ours: float, limit: float, **words: Any) -> Self:
        """A row whose other figure is a bound in the same unit, and not a measurement."""
        beside = f"the bound, {limit:g} {words['unit']}"
        return cls(ours=ours, beside=beside, theirs=limit, ratio=ours / limit, at_most=1.0, **words)


def keep(name: str, rows: Sequence[Row], raw: Any) -> None:
    """Write a benchmark's findings down, and print its rows."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    found = {"machine": machine(), "rows": [asdict(row) for row in rows], "raw": raw}
    (FOLDER / f"{name}.json").write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print("\n".join(lines(rows)), flush=True)


def rows_of(name: str) -> list[Row]:
    """The rows that a benchmark kept; none if it has not run."""
    try:
        found = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    return [Row(**each) for each in found["rows"]]


def machine() -> dict[str, Any]:
    """On what it was measured, and how many others wanted the processor."""
    return {
        "at": time.strftime("%Y-%m-%d %H:%M:%S%z"),
        "cores": os.cpu_count(),
        "load": os.getloadavg(),
        "python": platform.python_version(),
        "system": platform.platform(),
    }


def lines(rows: Sequence[Row]) -> list[str]:
    """The table as text, one line a row."""
    return [
        f"{row.what:<52} {_figure(row.ours):>9} {_figure(row.theirs):>9} {row.unit:<9} {_figure(row.ratio):>8}"
        f" {row.goal:>8}  {row.verdict:<6} {row.beside}{f': {row.why}' if row.why else ''}"
        for row in rows
    ]


HEADER = f"{'what':<52} {'ours':>9} {'theirs':>9} {'unit':<9} {'ratio':>8} {'goal':>8}  {'':<6} beside"


def _figure(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"

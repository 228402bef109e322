"""Small pictures of a day as the path of an SVG: bars, one a point, as high as their values. Pure.

Never says anything that a sentence beside it does not say as well, and has no style: what is drawn has a class.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

WIDTH, HEIGHT = 288, 40  # of the view box: two units a point


@dataclass(frozen=True, slots=True)
class Span:
    """The time that a picture shows, in Unix seconds, and the width of a point in seconds."""

    start: float
    seconds: float
    point: float

    def x(self, at: float) -> float:
        return (at - self.start) / self.seconds * WIDTH

    @property
    def bar(self) -> float:
        return self.point / self.seconds * WIDTH


def bars(points: Iterable[tuple[float, float]], span: Span, *, top: float) -> str:
    """The path of a bar for each value above 0, ``top`` being as high as the picture.

    Args:
        points: when a point begins (Unix seconds), and its value.
    """
    return "".join(
        f"M{span.x(at):.1f} {HEIGHT}v-{_height(value, top):.1f}h{span.bar:.1f}V{HEIGHT}z"
        for at, value in points
        if value > 0 and top > 0
    )


def _height(value: float, top: float) -> float:
    """At least one unit: what is there is seen."""
    return max(1.0, min(1.0, value / top) * HEIGHT)


def runs(times: Iterable[float], *, gap: float) -> list[tuple[float, float]]:
    """Points that follow each other within ``gap`` seconds, as their first and last."""
    found: list[tuple[float, float]] = []
    for at in times:
        if found and at - found[-1][1] <= gap:
            found[-1] = (found[-1][0], at)
        else:
            found.append((at, at))
    return found

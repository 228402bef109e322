"""The portal's switches: how strict, how slow and how broken it is meant to be.

Never acts on one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from relay.sandbox.bucket import ENTERPRISE, STANDARD, Rate

PLANS: dict[str, Rate | None] = {"standard": STANDARD, "enterprise": ENTERPRISE, "unlimited": None}


@dataclass(frozen=True, slots=True)
class Settings:
    """What may be switched; the defaults are a cloud portal on an ordinary plan."""

    rate: Rate | None = STANDARD
    """The bucket; None = no limit."""
    leak_each_second: bool = False
    """The bucket leaks in steps, at whole seconds, instead of steadily."""
    refused_fills: bool = False
    """Refused requests fill the bucket too."""
    webhook_tags: Literal["ignore", "honour"] = "ignore"
    """The server's code ignores a webhook's TAG; the documentation says it works with CLIENT_ID."""
    spent_refresh: Literal["refuse", "accept"] = "refuse"
    """A refresh token works once; the documentation does not say whether the one before the newest still does."""
    scopes: tuple[str, ...] = ("im", "user_basic")
    operating_fields: bool = True
    """``time.operating`` and ``operating_reset_at`` are there; a self-hosted portal has none."""
    command_seconds: float = 0.0
    """How long each command really takes."""
    require_https: bool = False
    closed: bool = False
    overloaded: bool = False
    plan_ended: bool = False


def changed(settings: Settings, changes: Mapping[str, object]) -> Settings:
    """``settings`` with ``changes`` by name; ``rate`` is a plan's name, ``[X, Y]`` or a `Rate`.

    Raises:
        ValueError: there is no such switch, or it cannot have that value; the text names it.
    """
    read: dict[str, Any] = {}
    for name, value in changes.items():
        if name not in _READERS:
            raise ValueError(f"unknown setting; there are: {', '.join(sorted(_READERS))}")
        try:
            read[name] = _READERS[name](value)
        except (TypeError, ValueError, KeyError):
            raise ValueError(f"{name}: cannot have this value") from None
    return replace(settings, **read)


def as_json(settings: Settings) -> dict[str, Any]:
    """The switches as the control API shows and takes them."""
    rate = settings.rate
    return {
        "rate": [rate.threshold, rate.leak] if rate else "unlimited",
        **{name: getattr(settings, name) for name in _READERS if name != "rate"},
    }


def _rate(value: object) -> Rate | None:
    if value is None or isinstance(value, Rate):
        return value
    if isinstance(value, str):
        return PLANS[value]
    if isinstance(value, list | tuple):
        threshold, leak = (_seconds(number) for number in value)
        return Rate(threshold=threshold, leak=leak)
    raise TypeError


def _flag(value: object) -> bool:
    if isinstance(value, bool):
        return value
    raise TypeError


def _seconds(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
        raise TypeError
    return float(value)


def _scopes(value: object) -> tuple[str, ...]:
    if isinstance(value, list | tuple) and all(isinstance(name, str) for name in value):
        return tuple(value)
    raise TypeError


def _tags(value: object) -> str:
    if value in ("ignore", "honour"):
        return str(value)
    raise ValueError


def _spent(value: object) -> str:
    if value in ("refuse", "accept"):
        return str(value)
    raise ValueError


_READERS: dict[str, Callable[[object], object]] = {
    "rate": _rate,
    "leak_each_second": _flag,
    "refused_fills": _flag,
    "webhook_tags": _tags,
    "spent_refresh": _spent,
    "scopes": _scopes,
    "operating_fields": _flag,
    "command_seconds": _seconds,
    "require_https": _flag,
    "closed": _flag,
    "overloaded": _flag,
    "plan_ended": _flag,
}

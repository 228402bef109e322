"""The environment, read once into frozen settings; and the type that keeps a secret.

Never reads ``os.environ`` itself: the environment is handed in.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from relay.errors import RelayError


class Secret:
    """A value that prints as ``***`` and has to be asked for by name.

    ``reveal()`` is the only way to the text; comparison is constant-time.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def matches(self, candidate: str | bytes) -> bool:
        """Compare in constant time, so that a guesser learns nothing from how long the answer took."""
        theirs = candidate if isinstance(candidate, bytes) else candidate.encode("utf-8", "surrogateescape")
        return hmac.compare_digest(self._value.encode(), theirs)

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return "***"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and hmac.compare_digest(self._value.encode(), other._value.encode())

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __bool__(self) -> bool:
        return bool(self._value)

    def __reduce__(self) -> Any:
        raise TypeError("a secret is not pickled: it would be written down in clear text")


class BadSettings(RelayError):
    """A setting in the environment cannot be used."""


NO_SECRET = Secret("")
DATABASE = Secret("sqlite:///var/relay.db")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Every setting of the environment, its default and its sentence (README, «Settings»)."""

    rules: Path = Path("rules.yaml")  # RELAY_RULES: the rules file
    database_url: Secret = DATABASE  # DATABASE_URL: may hold a password
    host: str = "127.0.0.1"  # HOST: the address to listen on
    port: int = 8080  # PORT
    log: str = "text"  # RELAY_LOG: text, json or quiet
    lease: float = 10.0  # RELAY_LEASE: seconds after which a silent worker's work is taken over
    admin_password: Secret = NO_SECRET  # RELAY_ADMIN_PASSWORD: unset, the pages are off
    reader_password: Secret = NO_SECRET  # RELAY_READER_PASSWORD: of those who look and change nothing
    admin_token: Secret = NO_SECRET  # RELAY_ADMIN_TOKEN: a script's bearer token
    reader_token: Secret = NO_SECRET  # RELAY_READER_TOKEN: of a script that changes nothing
    proxies: int = 0  # RELAY_PROXIES: how many proxies of ours stand before the relay and are believed
    trusted_header: str = ""  # RELAY_TRUSTED_HEADER: in which the proxy says who it is; it must drop a stranger's
    trusted_admins: tuple[str, ...] = ()  # RELAY_TRUSTED_ADMINS: those of them who may change things


def read(env: Mapping[str, str]) -> Settings:
    """Read the settings.

    Args:
        env: the environment, such as ``os.environ``.

    Raises:
        BadSettings: a value that cannot be used, named with its remedy.
    """
    default = Settings()
    log = env.get("RELAY_LOG", default.log)
    if log not in ("text", "json", "quiet"):
        raise BadSettings(f"RELAY_LOG is {log!r}; use text, json or quiet")
    return Settings(
        rules=Path(env.get("RELAY_RULES", str(default.rules))),
        database_url=Secret(env.get("DATABASE_URL") or default.database_url.reveal()),
        host=env.get("HOST", default.host),
        port=int(_number(env, "PORT", default.port, low=0, high=65535)),
        log=log,
        lease=_number(env, "RELAY_LEASE", default.lease, low=0.5, high=3600),
        admin_password=Secret(env.get("RELAY_ADMIN_PASSWORD", "")),
        reader_password=Secret(env.get("RELAY_READER_PASSWORD", "")),
        admin_token=Secret(env.get("RELAY_ADMIN_TOKEN", "")),
        reader_token=Secret(env.get("RELAY_READER_TOKEN", "")),
        proxies=int(_number(env, "RELAY_PROXIES", default.proxies, low=0, high=9)),
        trusted_header=_header(env, "RELAY_TRUSTED_HEADER"),
        trusted_admins=tuple(name for name in re.split(r"[\s,]+", env.get("RELAY_TRUSTED_ADMINS", "")) if name),
    )


def _header(env: Mapping[str, str], name: str) -> str:
    """A header's name. An underscore in it would be one with a dash to WSGI (PEP 3333), and so anybody's to send."""
    text = env.get(name, "")
    if not re.fullmatch(r"[A-Za-z0-9-]*", text):
        raise BadSettings(f"{name} is {text!r}; use a header's name, such as X-Forwarded-User")
    return text


def _number(env: Mapping[str, str], name: str, default: float, *, low: float, high: float) -> float:
    text = env.get(name, "")
    if not text:
        return default
    try:
        number = float(text)
    except ValueError:
        number = float("nan")
    if not low <= number <= high:
        raise BadSettings(f"{name} is {text!r}; use a number from {low:g} to {high:g}")
    return number

"""A captured request without what is nobody's business: secrets and people out, everything that decides still in.

Never changes a number, a key's meaning or a place: the same person or secret becomes the same placeholder wherever it
stands, so that the author who is also the reviewer still is. Free prose is searched for what is known, not understood.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal
from urllib.parse import parse_qsl, urlencode

from relay.errors import RelayError
from relay.model import Request

Kind = Literal["secret", "e-mail", "login", "name"]

HOST = "relay.example.com"  # of a domain that is nobody's (RFC 2606 §3)


class NotText(RelayError):
    """The body is not UTF-8 text: what stands in it cannot be found, and so cannot be taken out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Redacted:
    """The request, and for each kind how many different ones were replaced, in how many places."""

    request: Request
    counts: Mapping[Kind, tuple[int, int]]


# ── What is secret ───────────────────────────────────────────────────────────────────────────────────────────

# Keys whose text is a secret whatever it looks like: the last words of `deploy_token`, `apiKey`, `X-Auth-Token`.
_SECRET_KEY = re.compile(
    r"(?:^|_)(?:secret|token|password|passwd|passphrase|pwd|authorization|cookie|signature|credentials?"
    r"|(?:api|access|private|signing|secret)_?key|webhook_?url)s?$"
)
_QUERY = r"(?:[\w-]*(?:token|secret|passw(?:or)?d|signature|api_?key|apikey|auth|credential)|sig|key|code|pwd)"

# Published forms of tokens: GitHub, GitLab, Slack, AWS, Google and Stripe docs; JWT (RFC 7519); PEM (RFC 7468).
_TOKENS = (
    r"\bgh[pousr]_[A-Za-z0-9]{20,}",
    r"\bgithub_pat_\w{20,}",
    r"\bglpat-[\w-]{20,}",
    r"\bxox[a-z]-[\w-]{10,}",
    r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b",
    r"\bAIza[\w-]{35}",
    r"\b[sr]k_(?:live|test)_\w{10,}",
    r"\b[0-9]{8,10}:[\w-]{35}\b",  # a Telegram bot's
    r"\beyJ[\w-]++\.[\w-]++\.[\w-]*+",
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----[^-]*+(?:-----END [A-Z ]*PRIVATE KEY-----)?",
)
# A part of a longer text that is a secret stands in the group `secret`; what is before it, in `before`, stays.
_IN_PLACE = (
    r"(?P<before1>\b(?:Bearer|Basic)\s+)(?P<secret1>[\w.~+/=-]{8,})",
    r"(?P<before2>://)(?P<secret2>[^/\s@\"'<>]++)(?=@)",  # https://user:password@host
    rf"(?P<before3>[?&;](?i:{_QUERY})=)(?P<secret3>[^&;#\s\"'<>]++)",
    r"(?P<before4>/rest/[0-9]++/)(?P<secret4>[\w-]{8,})",  # a Bitrix24 webhook's address
    r"(?P<before5>hooks\.slack\.com/services/)(?P<secret5>[\w/]++)",
)
_EMAIL = r"(?<![\w.+-])(?!git@)[\w.+-]++@[\w-]++(?:\.[\w-]++)+"

# ── Who is a person ──────────────────────────────────────────────────────────────────────────────────────────

_LOGIN_KEYS = frozenset({"login", "username", "user_name"})
_NAME_KEYS = frozenset({"name", "display_name", "displayname", "full_name", "real_name"})
_EMAIL_KEYS = frozenset({"email", "mail", "user_email", "emailaddress"})
_NOT_PEOPLE = frozenset({"organization", "bot", "enterprise"})  # GitHub's `type`, and the key they stand under
_SHORTEST_SECRET = 8  # signs; a shorter one may be any word
_SHORTEST = 3  # signs; a shorter name is replaced only where it is all there is


@dataclass(slots=True)
class _Cast:
    """The people of one request by every name they go by, and the placeholders given so far."""

    person: dict[str, int] = field(default_factory=dict)  # a name, in lower case → whose
    kind: dict[str, Kind] = field(default_factory=dict)
    others: set[str] = field(default_factory=set)  # organizations and programs: they stay
    numbers: dict[int, int] = field(default_factory=dict)  # whose → the number in the placeholder
    secrets: dict[str, int] = field(default_factory=dict)
    found: dict[Kind, Counter[str]] = field(default_factory=dict)

    def introduce(self, names: Iterable[tuple[str, Kind]]) -> None:
        """All of these names are one person's, and whoever has one of them already is this one."""
        fresh = [(name.strip().casefold(), kind) for name, kind in names]
        fresh = [(name, kind) for name, kind in fresh if name and not name.isdigit() and "/" not in name]
        mine = next((self.person[name] for name, _ in fresh if name in self.person), len(self.person))
        for name, kind in fresh:
            self.person.setdefault(name, mine)
            self.kind.setdefault(name, "e-mail" if "@" in name else kind)

    def of_person(self, name: str) -> str:
        key = name.casefold()
        kind = self.kind.setdefault(key, "e-mail")  # only e-mails are found that nobody introduced
        who = self.person.setdefault(key, len(self.person))
        number = self.numbers.setdefault(who, len(self.numbers) + 1)
        self._count(kind, key)
        return {"login": f"user-{number}", "name": f"User {number}"}.get(kind, f"user-{number}@example.com")

    def of_secret(self, secret: str) -> str:
        self._count("secret", secret)
        return f"secret-{self.secrets.setdefault(secret, len(self.secrets) + 1)}"

    def _count(self, kind: Kind, what: str) -> None:
        self.found.setdefault(kind, Counter())[what] += 1


def redact(request: Request, *, people: Iterable[Collection[str]] = (), secrets: Iterable[str] = ()) -> Redacted:
    """Take secrets, e-mails, logins and names of people out of a request.

    Args:
        request: as it was captured, already without the headers that proved who sent it.
        people: for each person known otherwise (from the rules, or as the event's actor) all the names they go by.
        secrets: texts that are secret wherever they stand.

    Raises:
        NotText: the body cannot be read as text.
    """
    try:
        text = request.body.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise NotText from None
    is_form = request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
    body = parse_qsl(text, keep_blank_values=True) if is_form else [("", text)]
    documents = [_read(part) for _, part in body]
    cast = _cast(documents, people)
    pen = _Pen(cast, secrets)
    parts = [pen.document(document, indent=None if is_form else 2) for document in documents]
    redacted = urlencode([(name, part) for (name, _), part in zip(body, parts, strict=True)]) if is_form else parts[0]
    headers = {name: pen.line(value) for name, value in request.headers.items() if not _OF_THE_WAY.match(name)}
    if "host" in headers:
        headers["host"] = HOST
    place, mark, query = request.path.partition("?")  # the place names the source, and stays
    path = place + pen.line(mark + query) if mark else place
    written = redacted.encode("utf-8", "ignore")  # halves of surrogate pairs are no UTF-8; the sources drop them too
    return Redacted(
        request=replace(request, path=path, headers=headers, body=written),
        counts={kind: (len(found), found.total()) for kind, found in cast.found.items()},
    )


# What proxies and the connection itself added on the way: nothing that a rule could ask for.
_OF_THE_WAY = re.compile(
    r"content-length$|connection$|transfer-encoding$|accept|via$|forwarded$|x-forwarded|x-real-ip$|x-request-id$|cf-"
)


def _read(text: str) -> Any:
    """The JSON in a text, or the text itself."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _cast(documents: Iterable[Any], people: Iterable[Collection[str]]) -> _Cast:
    cast = _Cast()
    objects = [found for document in documents for found in _objects(document, "")]
    for key, thing in objects:
        if key in _NOT_PEOPLE or str(thing.get("type", "")).lower() in _NOT_PEOPLE:
            cast.others |= {name.casefold() for name, kind in _names(thing) if kind == "login"}
    for known in people:
        cast.introduce([(name, "login") for name in known if _is_person(name, cast)])
    found = [[*_names(thing)] for _, thing in objects]
    humans = [names for names in found if names and all(_is_person(name, cast) for name, _ in names)]
    humans = [names for names in humans if any(kind != "name" for _, kind in names)]
    for names in humans:
        cast.introduce([(name, kind) for name, kind in names if kind != "name"])
    for names in humans:  # after all logins: a name that is also somebody's login is that login
        cast.introduce(names)
    return cast


def _is_person(name: str, cast: _Cast) -> bool:
    return name.casefold() not in cast.others and not name.endswith("[bot]")


def _objects(data: Any, key: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every object in a document, with the key under which it stands."""
    waiting = [(key, data)]
    while waiting:
        key, value = waiting.pop()
        if isinstance(value, dict):
            yield key, value
            waiting += [(str(name).lower(), child) for name, child in reversed(value.items())]
        elif isinstance(value, list):
            waiting += [(key, child) for child in reversed(value)]


def _names(thing: Mapping[str, Any]) -> Iterator[tuple[str, Kind]]:
    for key, value in thing.items():
        word = key.lower()
        if isinstance(value, str) and value:
            if word in _LOGIN_KEYS:
                yield value, "login"
            elif word in _EMAIL_KEYS and re.fullmatch(_EMAIL, value):
                yield value, "e-mail"
            elif word in _NAME_KEYS:
                yield value, "name"


class _Pen:
    """Writes a document anew with placeholders, in one pass, so that no placeholder is replaced again."""

    def __init__(self, cast: _Cast, secrets: Iterable[str]) -> None:
        self._cast = cast
        exact = sorted({secret for secret in secrets if len(secret) >= _SHORTEST_SECRET}, key=len, reverse=True)
        patterns = [f"(?P<secret0>{'|'.join((*map(_word, exact), *_TOKENS))})", *_IN_PLACE, f"(?P<email>{_EMAIL})"]
        self._key = re.compile("|".join(patterns))
        long = sorted((name for name in cast.person if len(name) >= _SHORTEST), key=len, reverse=True)
        if long:
            patterns.append(rf"(?P<person>(?<!\w)(?i:{'|'.join(map(re.escape, long))})(?!\w))")
        self._value = re.compile("|".join(patterns))

    def document(self, document: Any, *, indent: int | None) -> str:
        if isinstance(document, str):
            return self.line(document)
        return json.dumps(self._anew(document, secret=False), indent=indent, ensure_ascii=False)

    def line(self, text: str) -> str:
        if text.casefold() in self._cast.person:
            return self._cast.of_person(text)
        return self._value.sub(self._placeholder, text)

    def _anew(self, value: Any, *, secret: bool) -> Any:
        if isinstance(value, dict):
            return {
                self._key.sub(self._placeholder, key): self._anew(child, secret=_is_secret(key))
                for key, child in value.items()
            }
        if isinstance(value, list):
            return [self._anew(child, secret=secret) for child in value]
        if not isinstance(value, str):
            return value
        return self._cast.of_secret(value) if secret and value else self.line(value)

    def _placeholder(self, match: re.Match[str]) -> str:
        kind = match.lastgroup or ""
        if kind in ("email", "person"):
            return self._cast.of_person(match[0])
        before = match[f"before{kind[-1]}"] if kind != "secret0" else ""
        return before + self._cast.of_secret(match[kind])


def _word(text: str) -> str:
    """A pattern for a text that stands by itself."""
    return rf"(?<!\w){re.escape(text)}(?!\w)"


def _is_secret(key: str) -> bool:
    words = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[-. ]", "_", key).lower()
    return bool(_SECRET_KEY.search(words))

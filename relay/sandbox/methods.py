"""The table of the methods that this portal has, and those of people and of the portal itself.

Never checks credentials or scopes: `gate` does, by this table.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from relay.sandbox import im_notify, jsobject, lookup
from relay.sandbox.context import Answer, Context, Method, Methods
from relay.sandbox.people import OWNER, Person, as_im_user, as_user
from relay.sandbox.php import Value, canonical, integer, items, text, truthy
from relay.sandbox.refusals import NO_APP, Refusal

PAGE = 50
USER_SCOPES = ("user", "user_basic", "user_brief")
BATCH = "batch"


# --- people


def _user_get(ctx: Context) -> Answer:
    """Flat conditions count only without FILTER; ``start=-1`` leaves the count out."""
    with_email = bool({"user", "user_basic"} & {*ctx.settings.scopes})
    rows = [as_user(person, with_email=with_email) for person in ctx.people if not person.bot]
    given = ctx.params.get("FILTER")
    flat: Value = {name: value for name, value in ctx.params.items() if name not in _NOT_CONDITIONS}
    found = _sorted(lookup.select(rows, given if isinstance(given, list | dict) else flat), ctx)
    start = max(ctx.start, 0)
    page = canonical([_picked(row, ctx.params.get("SELECT")) for row in found[start : start + PAGE]])
    if ctx.start < 0:
        return Answer(page)
    return Answer(page, total=len(found), next=start + PAGE if len(found) > start + PAGE else None)


_NOT_CONDITIONS = frozenset({"FILTER", "SORT", "ORDER", "SELECT", "ADMIN_MODE", "IMAGE_RESIZE", "FIND"})


def _user_search(ctx: Context) -> Answer:
    """As ``user.get``; ``FIND``, which stands alone, looks for the beginnings of words in names and positions."""
    given = ctx.params.get("FILTER")
    conditions = dict(items(given)) if isinstance(given, list | dict) else ctx.params
    find = text(conditions.get("FIND")).casefold()
    if not find:
        return _user_get(ctx)
    found = [str(person.id) for person in ctx.people if _is_found(person, find)]
    return _user_get(replace(ctx, params={**ctx.params, "FILTER": {"ID": [*found, "0"]}}))


def _is_found(person: Person, find: str) -> bool:
    words = f"{person.full_name} {person.position}".casefold().split()
    return all(any(word.startswith(piece) for word in words) for piece in find.split())


def _sorted(rows: list[dict[str, Value]], ctx: Context) -> list[dict[str, Value]]:
    field = text(ctx.params.get("SORT")).upper() or "ID"
    backwards = text(ctx.params.get("ORDER")).upper() == "DESC"
    if field == "ID":
        return sorted(rows, key=lambda row: integer(row["ID"]), reverse=backwards)
    return sorted(rows, key=lambda row: text(row.get(field)).casefold(), reverse=backwards)


def _picked(row: dict[str, Value], select: Value) -> dict[str, Value]:
    names = {text(name).upper() for _, name in items(select)}
    return {name: value for name, value in row.items() if name in names} if names else row


def _user_current(ctx: Context) -> Answer:
    return Answer(as_user(ctx.caller.person, with_email=bool({"user", "user_basic"} & {*ctx.settings.scopes})))


def _profile(ctx: Context) -> Answer:
    person = ctx.caller.person
    return Answer(
        {
            "ID": str(person.id),
            "ADMIN": person.id == OWNER,
            "NAME": person.name,
            "LAST_NAME": person.last_name,
            "PERSONAL_GENDER": "",
            "TIME_ZONE": person.time_zone,
        }
    )


def _im_user_get(ctx: Context) -> Answer:
    given = ctx.params.get("ID")
    if given is not None and integer(given) <= 0:
        raise Refusal("ID_EMPTY")
    person = ctx.people.get(integer(given)) if given is not None else ctx.caller.person
    if person is None:
        raise Refusal("USER_NOT_EXISTS")
    return Answer(as_im_user(person))


def _im_user_list_get(ctx: Context) -> Answer:
    """A map of id → user; with RESULT_TYPE=array a list."""
    found = [as_im_user(person) for number in _ids(ctx.params.get("ID")) if (person := ctx.people.get(number))]
    if ctx.params.get("RESULT_TYPE") == "array":
        return Answer(canonical(found))
    return Answer(canonical({text(person["id"]): person for person in found}))


def _ids(given: Value) -> list[int]:
    if isinstance(given, str):
        try:
            given = jsobject.read(given)
        except jsobject.NotAnObject:
            raise Refusal("INVALID_FORMAT") from None
    if not isinstance(given, list | dict):
        raise Refusal("ID_EMPTY" if not truthy(given) else "INVALID_FORMAT")
    numbers = [integer(item) for _, item in items(given) if integer(item) > 0]
    if not numbers:
        raise Refusal("ID_EMPTY")
    return list(dict.fromkeys(numbers))


# --- the portal itself


def _scope(ctx: Context) -> Answer:
    return Answer(list(ctx.settings.scopes))


def _method_get(ctx: Context) -> Answer:
    method = METHODS.get(text(ctx.params.get("NAME")).lower())
    return Answer(
        {"isExisting": method is not None, "isAvailable": method is not None and method.granted(ctx.settings.scopes)}
    )


def _server_time(ctx: Context) -> Answer:
    return Answer(datetime.fromtimestamp(ctx.now, UTC).isoformat(timespec="seconds"))


def _app_info(ctx: Context) -> Answer:
    if ctx.caller.kind != "app":
        raise Refusal("ACCESS_DENIED", NO_APP)
    return Answer(
        {
            "ID": 1,
            "CODE": ctx.app.client_id,
            "SCOPE": list(ctx.settings.scopes),
            "VERSION": 1,
            "STATUS": "L",
            "INSTALLED": True,
            "PAYMENT_EXPIRED": "N",
            "DAYS": None,
            "LANGUAGE_ID": "ru",
            "user_id": ctx.caller.person.id,
        }
    )


def _batch(ctx: Context) -> Answer:
    """`Portal` runs a batch itself, each command for itself; this row only lets it through the gate."""
    raise NotImplementedError


METHODS: Methods = {
    **im_notify.METHODS,
    "im.user.get": Method(_im_user_get, ("im",)),
    "im.user.list.get": Method(_im_user_list_get, ("im",)),
    "user.get": Method(_user_get, USER_SCOPES),
    "user.search": Method(_user_search, USER_SCOPES),
    "user.current": Method(_user_current, USER_SCOPES),
    "profile": Method(_profile),
    "scope": Method(_scope),
    "method.get": Method(_method_get),
    "server.time": Method(_server_time),
    "app.info": Method(_app_info),
    BATCH: Method(_batch),
}

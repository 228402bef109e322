"""The methods ``im.notify.*``: sending, deleting, reading.

Never asks who may call (`gate` did) and never looks at HTTP. Bitrix24 REST docs, "Notifications"; what they leave out
(tags, drops, the order of checks) is as in the portal's own code.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime

from relay.sandbox import attach, text
from relay.sandbox.bell import SYSTEM, TAG_LIMIT, USER, Notification
from relay.sandbox.context import Answer, Context, Method, Methods
from relay.sandbox.people import as_im_user
from relay.sandbox.php import Value, canonical, integer, items, string, truthy
from relay.sandbox.php import text as cast
from relay.sandbox.refusals import NO_CLIENT_ID, Refusal

PAGE = 50


def send(ctx: Context, kind: int) -> Answer:
    """The id; False = no such recipient, nothing said why; the current Unix time = muted, nothing was stored."""
    to = integer(ctx.params.get("TO") or ctx.params.get("USER_ID"))
    if to <= 0:
        raise Refusal("USER_ID_EMPTY")
    message = string(ctx.params.get("MESSAGE")).strip()
    if not message:
        raise Refusal("MESSAGE_EMPTY")
    attached = attach.normalise(ctx.params.get("ATTACH"), now=ctx.now)
    recipient = ctx.people.get(to)
    tag, sub_tag = (_stored_tag(ctx, cast(ctx.params.get(name))) for name in ("TAG", "SUB_TAG"))
    if recipient is None or not recipient.receives or max(len(tag), len(sub_tag)) > TAG_LIMIT:
        ctx.bell.counts["not_accepted"] += 1
        return Answer(False)
    if recipient.muted:
        ctx.bell.counts["muted"] += 1
        return Answer(int(ctx.now))
    return Answer(
        ctx.bell.ring(
            Notification(
                id=0,
                recipient=to,
                author=0 if kind == SYSTEM else ctx.caller.person.id,
                created=ctx.now,
                type=kind,
                text=_stored_text(ctx, message, kind),
                mail_text=string(ctx.params.get("MESSAGE_OUT")),
                tag=tag,
                sub_tag=sub_tag,
                attach=attached,
            )
        )
    )


def _stored_text(ctx: Context, message: str, kind: int) -> str:
    """System notifications name no people, and an app's begin with its name."""
    stored = text.on_send(message, visible=lambda number: kind != SYSTEM and ctx.people.get(number) is not None)
    return f"{ctx.app.name}\n{stored}" if kind == SYSTEM and ctx.caller.kind == "app" else stored


def _personal(ctx: Context) -> Answer:
    return send(ctx, USER)


def _system(ctx: Context) -> Answer:
    return send(ctx, SYSTEM)


def _notify(ctx: Context) -> Answer:
    return send(ctx, SYSTEM if ctx.params.get("TYPE") == "SYSTEM" else USER)


# --- tags


def _stored_tag(ctx: Context, tag: str) -> str:
    """An app's tags are its own; a webhook's are dropped, or honoured with CLIENT_ID if so switched."""
    if not tag:
        return ""
    if ctx.caller.kind == "app":
        return prefixed(ctx.app.client_id, tag)
    client_id = cast(ctx.params.get("CLIENT_ID"))
    honoured = ctx.settings.webhook_tags == "honour" and client_id
    return prefixed(f"custom{client_id}", tag) if honoured else ""


def prefixed(owner: str, tag: str) -> str:
    """``MP|<first 5 hex digits of md5(owner)>|<tag>``."""
    digest = hashlib.md5(owner.encode(), usedforsecurity=False).hexdigest()
    return f"MP|{digest[:5]}|{tag}"


def _delete(ctx: Context) -> Answer:
    """By ID only in the caller's own list; by TAG or SUB_TAG for all recipients."""
    own_ids = [integer(item) for item in _many(ctx.params.get("ID")) if integer(item) > 0]
    tag, sub_tag = cast(ctx.params.get("TAG")), cast(ctx.params.get("SUB_TAG"))
    if own_ids:
        return Answer(ctx.bell.delete(ctx.bell.own(ctx.caller.person.id, own_ids)))
    if not tag and not sub_tag:
        raise Refusal("PARAMS_ERROR")
    owner = _tag_owner(ctx)
    if tag:
        ctx.bell.delete(ctx.bell.tagged(prefixed(owner, tag)))
        return Answer(True)
    return Answer(ctx.bell.delete(ctx.bell.sub_tagged(prefixed(owner, sub_tag))))


def _tag_owner(ctx: Context) -> str:
    if ctx.caller.kind == "app":
        return ctx.app.client_id
    client_id = cast(ctx.params.get("CLIENT_ID"))
    if not client_id:
        raise Refusal("ACCESS_DENIED", NO_CLIENT_ID)
    return f"custom{client_id}"


def _many(value: Value) -> list[Value]:
    return [item for _, item in items(value)] if isinstance(value, list | dict) else [value]


# --- the caller's own list


def _get(ctx: Context) -> Answer:
    """Newest first, 50 at most; an empty list is two empty lists and nothing else."""
    last_id, last_type = ctx.params.get("LAST_ID"), ctx.params.get("LAST_TYPE")
    if (last_id is None) != (last_type is None):
        raise Refusal("LAST_ID_AND_LAST_TYPE")
    if isinstance(last_id, str) and not last_id.isdigit():
        raise Refusal("LAST_ID_STRING")
    own = ctx.bell.of(ctx.caller.person.id)
    older = [notification for notification in own if last_id is None or notification.id < integer(last_id)]
    page = older[: min(integer(ctx.params.get("LIMIT")) or PAGE, PAGE)]
    if not page:
        return Answer({"notifications": [], "users": []})
    authors = {author for shown in page for author in (shown.author, *shown.earlier_authors)}
    return Answer(
        {
            "total_count": len(own),
            "total_unread_count": sum(not notification.read for notification in own),
            "chat_id": _chat(ctx.caller.person.id),
            "notifications": [_as_json(notification) for notification in page],
            "users": [as_im_user(person) for person in ctx.people if person.id in authors],
        }
    )


def _chat(recipient: int) -> int:
    return 400 + recipient


def _as_json(shown: Notification) -> dict[str, Value]:
    params: dict[str, Value] = {}
    if shown.attach:
        params["ATTACH"] = [shown.attach]
    if shown.earlier_authors:
        params["USERS"] = canonical(shown.earlier_authors)
    return {
        "id": shown.id,
        "chat_id": _chat(shown.recipient),
        "author_id": shown.author,
        "date": datetime.fromtimestamp(shown.created, UTC).isoformat(timespec="seconds"),
        "notify_type": shown.type,
        "notify_module": "rest",
        "notify_event": "rest_notify",
        "notify_tag": shown.tag,
        "notify_sub_tag": shown.sub_tag,
        "notify_title": "",
        "setting_name": "rest|rest_notify",
        "text": text.on_read(shown.text),
        "notify_read": "Y" if shown.read else "N",
        "params": params or None,
    }


def _read(ctx: Context) -> Answer:
    """ONLY_CURRENT=Y: this id; otherwise this and all newer ones; ID=0: all. Without ID: nothing."""
    number = integer(ctx.params.get("ID"))
    only = ctx.params.get("ONLY_CURRENT") == "Y" and number > 0
    if ctx.params.get("ID") is not None:
        ctx.bell.mark(
            ctx.caller.person.id,
            read=_read_flag(ctx),
            which=lambda shown: shown.id == number if only else shown.id >= number,
        )
    return Answer(True)


def _read_list(ctx: Context) -> Answer:
    given = ctx.params.get("IDS")
    if not isinstance(given, list | dict):
        raise Refusal("PARAMS_ERROR", "No IDS param or it is not an array")
    numbers: set[int] = set()
    for item in _many(given):
        if integer(item) <= 0:
            break
        numbers.add(integer(item))
    ctx.bell.mark(ctx.caller.person.id, read=_read_flag(ctx), which=lambda shown: shown.id in numbers)
    return Answer(True)


def _read_all(ctx: Context) -> Answer:
    ctx.bell.mark(ctx.caller.person.id, read=True, which=lambda _: True)
    return Answer({"result": True, "newCounter": 0})


def _read_flag(ctx: Context) -> bool:
    return ctx.params.get("ACTION") != "N"


def _confirm(ctx: Context) -> Answer:
    """Nothing that REST can send has buttons, so there is never anything to press."""
    if not truthy(ctx.params.get("NOTIFY_ID") or ctx.params.get("ID")):
        raise Refusal("ID_ERROR")
    if not truthy(ctx.params.get("NOTIFY_VALUE")):
        raise Refusal("NOTIFY_VALUE_ERROR")
    return Answer(False)


def _answer(ctx: Context) -> Answer:
    if not truthy(ctx.params.get("NOTIFY_ID") or ctx.params.get("ID")):
        raise Refusal("ID_ERROR")
    if not cast(ctx.params.get("ANSWER_TEXT")):
        raise Refusal("ANSWER_TEXT_ERROR")
    return Answer(False)


METHODS: Methods = {
    "im.notify": Method(_notify, ("im",)),
    "im.notify.personal.add": Method(_personal, ("im",)),
    "im.notify.system.add": Method(_system, ("im",)),
    "im.notify.delete": Method(_delete, ("im",)),
    "im.notify.get": Method(_get, ("im",)),
    "im.notify.read": Method(_read, ("im",)),
    "im.notify.read.list": Method(_read_list, ("im",)),
    "im.notify.read.all": Method(_read_all, ("im",)),
    "im.notify.confirm": Method(_confirm, ("im",)),
    "im.notify.answer": Method(_answer, ("im",)),
}

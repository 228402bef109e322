"""The page's own words in English and Russian.

Never holds anybody else's.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

LANGUAGES = ("en", "ru")

WORDS: dict[str, dict[str, str]] = {
    "en": {
        "title": "Stand-in Bitrix24",
        "subtitle": "What arrives in everybody's notification centre",
        "empty": "Nothing yet",
        "updated": "updated",
        "updated_hint": "It took the place of an older one with the same tag",
        "unread": "unread",
        "system": "System",
        "owner": "owner of the webhook",
        "dismissed": "dismissed: receives nothing",
        "muted": "has switched notifications off",
        "bot": "a bot: receives nothing",
        "older": "and {count} older",
        "picture": "picture, not fetched",
        "file": "file",
        "send": "a click would send this as the reader",
        "put": "a click would type this",
        "call": "a click would call",
        "chat": "chat",
        "context": "a message in a chat",
        "disk": "a file on the portal's disk",
        "not_clickable": "not a web address: nothing to click",
        "about": "This is a stand-in portal: it answers over REST as Bitrix24 does, and shows what arrived. "
        "Nothing leaves this machine.",
        "counters": "{requests} so far, {refused}.",
        "other_language": "По-русски",
    },
    "ru": {
        "title": "Учебный Битрикс24",
        "subtitle": "Центр уведомлений каждого сотрудника",
        "empty": "Пока пусто",
        "updated": "обновлено",
        "updated_hint": "Заменило прежнее с тем же тегом",
        "unread": "непрочитанных",
        "system": "Система",
        "owner": "владелец вебхука",
        "dismissed": "уволенный сотрудник: ничего не получает",
        "muted": "уведомления отключены",
        "bot": "бот: ничего не получает",
        "older": "более ранних: {count}",
        "picture": "картинка (здесь не загружается)",
        "file": "файл",
        "send": "по щелчку это ушло бы от имени получателя",
        "put": "по щелчку это попало бы в поле ввода",
        "call": "по щелчку начался бы звонок",
        "chat": "чат",
        "context": "сообщение в чате",
        "disk": "файл на Диске портала",
        "not_clickable": "не веб-адрес, перейти нельзя",
        "about": "Это учебный портал: он отвечает по REST, как Битрикс24, и показывает, что пришло. "
        "С этого компьютера ничего не уходит.",
        "counters": "Всего {requests}, {refused}.",
        "other_language": "In English",
    },
}

_MONTHS = {
    "en": ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"],
    "ru": ["янв.", "февр.", "марта", "апр.", "мая", "июня", "июля", "авг.", "сент.", "окт.", "нояб.", "дек."],
}


def requests(language: str, count: int) -> str:
    """So many requests, in the right number."""
    if language == "en":
        return f"{_grouped(count)} {'request' if count == 1 else 'requests'}"
    return f"{_grouped(count)} {_russian(count, ('запрос', 'запроса', 'запросов'))}"


def refused(language: str, count: int) -> str:
    """So many of them refused for coming too fast."""
    if language == "en":
        return f"{_grouped(count) if count else 'none'} refused for coming too fast"
    verb = _russian(count, ("отклонён", "отклонено", "отклонено"))
    return f"{_grouped(count)} {verb} из-за превышения частоты" if count else "ни один не отклонён"


def _grouped(count: int) -> str:
    return f"{count:,}".replace(",", "\u00a0")


def _russian(count: int, forms: Sequence[str]) -> str:
    tens, ones = count // 10 % 10, count % 10
    if tens == 1 or ones == 0 or ones > 4:
        return forms[2]
    return forms[0] if ones == 1 else forms[1]


def when(language: str, moment: datetime, now: datetime) -> str:
    """14:05 today, «21 Nov 14:05» on another day."""
    time = f"{moment:%H:%M}"
    if moment.date() == now.date():
        return time
    return f"{day(language, moment)} {time}"


def day(language: str, moment: datetime) -> str:
    """«21 Nov»."""
    return f"{moment.day}\u00a0{_MONTHS[language][moment.month - 1]}"


def stamp(language: str, moment: datetime, form: str) -> str:
    """A ``[timestamp]`` in one of the portal's formats: its time, its day, or both."""
    short = {"FORMAT_DATETIME", "FORMAT_DATE", "SHORT_DATE_FORMAT", "MEDIUM_DATE_FORMAT"}
    date = f"{moment:%d.%m.%Y}" if form in short or not form else f"{day(language, moment)} {moment.year}"
    if form in {"SHORT_TIME_FORMAT", "LONG_TIME_FORMAT"}:
        return f"{moment:%H:%M}" if form == "SHORT_TIME_FORMAT" else f"{moment:%H:%M:%S}"
    return f"{date} {moment:%H:%M}" if form in {"", "FORMAT_DATETIME"} else date

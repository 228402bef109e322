"""The words of the journal."""

WORDS = {
    "journal.title": ("Journal", "Журнал"),
    "journal.question": ("What came, and what became of it?", "Что пришло и что из этого вышло?"),
    "journal.filter": ("Filter", "Отбор"),
    "journal.source": ("Source", "Источник"),
    "journal.event": ("Event", "Событие"),
    "journal.person": ("Person", "Кому"),
    "journal.state": ("Verdict", "Итог"),
    "journal.text": ("Text in the title", "Текст в заголовке"),
    "journal.since": ("Since", "С"),
    "journal.until": ("Until", "До"),
    "journal.finer": ("By source, event and time", "По источнику, событию и времени"),
    "journal.event_hint": ("pull_request", "pull_request"),
    "journal.number": ("No.", "№"),
    "journal.when": ("Received", "Получено"),
    "journal.what": ("What", "Что"),
    "journal.told": (
        "{n} message|{n} messages",
        "{n} сообщение|{n} сообщения|{n} сообщений",
    ),
    "journal.empty": (
        "Nothing has come yet. Post an event to /in/<source>, or try `relay drill`.",
        "Пока ничего не пришло. Отправьте событие на /in/<source> или попробуйте `relay drill`.",
    ),
    "journal.nothing": ("Nothing like that came.", "Ничего такого не приходило."),
    "journal.stopped": (
        "Searched as far back as event {n}; nothing more until there.",
        "Просмотрено до события {n}; дальше поиск не шёл.",
    ),
    "journal.wrong": ("{field}: this cannot be understood.", "{field}: так не понять."),
    "journal.wrong_time": (
        "Write 90s, 30m, 2h, 7d (ago), or a time such as 2026-11-23T10:00 (UTC).",
        "Пишите 90s, 30m, 2h, 7d (назад) или время вида 2026-11-23T10:00 (UTC).",
    ),
}

"""The words that stand on every page: the way around, verdicts, what went wrong.

Never holds what one page alone says.
"""

WORDS = {
    "common.relay": ("Relay", "Релей"),
    "common.skip": ("To the content", "К содержимому"),
    "common.pages": ("Pages", "Страницы"),
    "common.sign_out": ("Sign out", "Выйти"),
    "common.other_language": ("По-русски", "In English"),
    "common.reader": ("you may look, and change nothing", "только просмотр"),
    "common.live": ("live", "обновляется"),
    "common.away": ("the relay does not answer", "релей не отвечает"),
    "common.any": ("any", "все"),
    "common.filter": ("Show", "Показать"),
    "common.reset": ("Show all", "Сбросить"),
    "common.older": ("Older", "Старше"),
    "common.newest": ("To the newest", "К самым новым"),
    "common.further": ("Look further back", "Искать дальше"),
    "common.nobody": ("nobody", "никто"),
    "common.more": ("and {n} more", "и ещё {n}"),
    # Verdicts: of an event at a glance, and of a message.
    "verdict.delivered": ("delivered", "доставлено"),
    "verdict.dead": ("dead", "не доставлено"),
    "verdict.held": ("held", "задержано"),
    "verdict.queued": ("waiting", "ждёт отправки"),
    "verdict.sending": ("being sent", "отправляется"),
    "verdict.muted": ("muted", "заглушено"),
    "verdict.superseded": ("replaced", "заменено"),
    "verdict.dropped": ("dropped", "отброшено"),
    "verdict.new": ("just in", "только пришло"),
    "verdict.no_rule": ("no rule", "нет правила"),
    "verdict.nobody": ("nobody found", "адресат не найден"),
    "verdict.silenced": ("silenced", "тишина"),
    "verdict.inhibited": ("inhibited", "подавлено"),
    "verdict.grouped": ("gathering", "копится"),
    "verdict.throttled": ("too many", "слишком часто"),
    "verdict.repeated": ("repeat", "повтор"),
    "verdict.own_act": ("own act", "своё действие"),
    "verdict.skipped": ("skipped", "пропущено"),
    "verdict.unreadable": ("unreadable", "не прочитано"),
    "verdict.addressed": ("addressed", "есть адресат"),
    # What went wrong.
    "error.title": ("Something is wrong", "Что-то не так"),
    "error.back": ("To the journal", "К журналу"),
    "error.400": ("That cannot be understood: {why}", "Это нельзя понять: {why}"),
    "error.403": (
        "With this password one may look, and change nothing.",
        "С этим паролем можно смотреть, но не менять.",
    ),
    "error.NotOurs": (
        "The form is too old, or not from this page. Open the page again and repeat it.",
        "Форма устарела или пришла не с этой страницы. Откройте страницу заново и повторите.",
    ),
    "error.404": ("There is no such thing here.", "Такого здесь нет."),
    "error.405": ("That is not how this page is asked.", "Эту страницу спрашивают иначе."),
    "error.413": ("That is too large.", "Это слишком велико."),
    "error.429": ("Too many wrong passwords. Wait, and try again.", "Слишком много неверных паролей. Подождите."),
    "error.503": (
        "The database does not answer just now. Try again in a few seconds.",
        "База данных сейчас не отвечает. Повторите через несколько секунд.",
    ),
    "error.500": (
        "The relay failed on this page; its log says why. Events are taken in all the same.",
        "Релей не смог показать эту страницу, причина в его журнале. События принимаются по-прежнему.",
    ),
}

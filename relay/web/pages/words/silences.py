"""The words of the silences."""

WORDS = {
    "silences.title": ("Silences", "Тишина"),
    "silences.question": ("What is kept back, and until when?", "О чём сейчас не сообщаем и до каких пор?"),
    "silences.new": ("New silence", "Новая тишина"),
    "silences.from_event": ("Silence this…", "Заглушить такое…"),
    "silences.none": (
        "Nothing is silenced. To silence something, open an event in the journal and choose «Silence this…».",
        "Сейчас ничего не заглушено. Чтобы заглушить, откройте событие в журнале и нажмите «Заглушить такое…».",
    ),
    "silences.active": ("In force", "Действует"),
    "silences.over": ("Over", "Закончилась"),
    "silences.number": ("Silence {n}", "Тишина {n}"),
    "silences.until": ("Until", "До"),
    "silences.who": ("By", "Кто"),
    "silences.why": ("Why", "Почему"),
    "silences.why_label": ("Why? Those whom it silences are told", "Почему? Это увидят те, кого она заглушит"),
    "silences.kept": ("Kept back", "Не отправлено"),
    "silences.kept_count": (
        "{n} message|{n} messages",
        "{n} сообщение|{n} сообщения|{n} сообщений",
    ),
    "silences.conditions": ("Conditions, all of which hold", "Условия, все сразу"),
    "silences.conditions_label": (
        "Conditions, one on a line; fewer lines silence more",
        "Условия, по одному в строке; чем меньше строк, тем больше тишины",
    ),
    "silences.how": (
        "word=value, word!=value, word=~regular expression, word!~regular expression; "
        "words as in the rules: source, severity, labels.instance, key, repo",
        "слово=значение, слово!=значение, слово=~регулярное выражение, слово!~регулярное выражение; "
        "слова те же, что в правилах: source, severity, labels.instance, key, repo",
    ),
    "silences.length": ("For how long", "На сколько"),
    "silences.look": ("Look what it would silence", "Посмотреть, что заглушит"),
    "silences.make": ("Silence", "Заглушить"),
    "error.NotThere": ("There is no such silence, or it is over.", "Такой тишины нет, или она уже закончилась."),
    "silences.end": ("End now", "Закончить"),
    "silences.would": ("What it would have silenced", "Что она заглушила бы"),
    "silences.matched": (
        "{n} of the last {among} events|{n} of the last {among} events",
        "{n} из последних {among} событий|{n} из последних {among} событий|{n} из последних {among} событий",
    ),
    "silences.matched_none": (
        "None of the last {among} events.",
        "Ничего из последних {among} событий.",
    ),
    "silences.wrong": ("That is not right yet: {why}", "Пока не то: {why}"),
    "silences.usual_why": ("Known, being worked on", "Знаем, занимаемся"),
    "silences.operator": ("the operator", "дежурный"),
    "silences.reader": (
        "With the reader's password one may look, and make none.",
        "С паролем для просмотра можно посмотреть, но не заглушить.",
    ),
    "silences.expired": ("its time is up", "время вышло"),
    "silences.unused": ("nothing matched for long", "давно ничего не подходило"),
    "silences.ended": ("ended by hand", "закончена вручную"),
}

"""The words of the outbox, and of the portals that it goes to."""

WORDS = {
    "outbox.title": ("Outbox", "Исходящие"),
    "outbox.question": ("What has not arrived, and why?", "Что не дошло и почему?"),
    "outbox.states": ("Messages that are", "Какие сообщения"),
    "outbox.filter": ("Filter", "Отбор"),
    "outbox.portal": ("Portal", "Портал"),
    "outbox.person": ("Person", "Кому"),
    "outbox.rule": ("Rule", "Правило"),
    "outbox.source": ("Source", "Источник"),
    "outbox.text": ("Text in the message", "Текст в сообщении"),
    "outbox.since": ("Since", "С"),
    "outbox.until": ("Until", "До"),
    "outbox.state": ("State", "Состояние"),
    "outbox.when": ("Queued", "Поставлено"),
    "outbox.what": ("What, and why it is here", "Что и почему оно здесь"),
    "outbox.choose": ("Choose", "Выбрать"),
    "outbox.choose_one": ("Choose message {n}", "Выбрать сообщение {n}"),
    "outbox.do": ("Do", "Действие"),
    "outbox.retry_one": ("Send again", "Отправить снова"),
    "outbox.retry_named": ("Send message {n} again", "Отправить сообщение {n} снова"),
    "outbox.retry_chosen": ("Send the chosen again", "Отправить выбранные снова"),
    "outbox.giving_up": ("Give up…", "Отказаться…"),
    "outbox.drop_chosen": ("Drop the chosen for good", "Отбросить выбранные навсегда"),
    "outbox.for_good": (
        "What is dropped is never sent. It stays in the list as «dropped».",
        "Отброшенное не будет отправлено никогда. В списке оно останется как «отброшено».",
    ),
    "outbox.tries": ("{n} try|{n} tries", "{n} попытка|{n} попытки|{n} попыток"),
    "outbox.no_event": ("a digest, of no single event", "сводка, не об одном событии"),
    "outbox.done_retry": (
        "{n} message is queued again.|{n} messages are queued again.",
        "{n} сообщение снова в очереди.|{n} сообщения снова в очереди.|{n} сообщений снова в очереди.",
    ),
    "outbox.done_drop": (
        "{n} message was dropped.|{n} messages were dropped.",
        "{n} сообщение отброшено.|{n} сообщения отброшены.|{n} сообщений отброшено.",
    ),
    "outbox.left": (
        "{n} was left as it is: it has moved on, or a newer message has its place.|"
        "{n} were left as they are: they have moved on, or newer messages have their place.",
        "{n} не тронуто: его состояние изменилось или его место заняло более новое.|"
        "{n} не тронуты: их состояние изменилось или их место заняли более новые.|"
        "{n} не тронуто: их состояние изменилось или их место заняли более новые.",
    ),
    "outbox.nothing": ("Nothing like that is here.", "Ничего такого здесь нет."),
    "outbox.all_well": ("Nothing is {state}.", "Ничего нет в состоянии «{state}»."),
    "outbox.stopped": (
        "Searched as far back as message {n}; nothing more until there.",
        "Просмотрено до сообщения {n}; дальше поиск не шёл.",
    ),
    "outbox.wrong": ("{field}: this cannot be understood.", "{field}: так не понять."),
    "outbox.wrong_time": (
        "Write 90s, 30m, 2h, 7d (ago), or a time such as 2026-11-23T10:00 (UTC).",
        "Пишите 90s, 30m, 2h, 7d (назад) или время вида 2026-11-23T10:00 (UTC).",
    ),
    # The portals.
    "outbox.portals": ("Portals", "Порталы"),
    "outbox.condition.works": ("at work", "идёт отправка"),
    "outbox.condition.idle": ("well, nothing to send", "всё хорошо, слать нечего"),
    "outbox.condition.unknown": ("never called yet", "ещё не вызывался"),
    "outbox.condition.full": ("waits for its pace", "ждёт по темпу"),
    "outbox.condition.paused": ("paused", "на паузе"),
    "outbox.condition.unserved": ("nobody sends", "никто не отправляет"),
    "outbox.condition.orphaned": ("not in the rules any more", "его больше нет в правилах"),
    "outbox.says.works": ("Messages go out as they come.", "Сообщения уходят сразу."),
    "outbox.says.idle": ("Nothing waits for it.", "Для него ничего не ждёт."),
    "outbox.says.unknown": (
        "Nothing was sent to it yet. «relay doctor» tries whether it answers.",
        "Ему ещё ничего не отправляли. «relay doctor» проверит, отвечает ли он.",
    ),
    "outbox.says.full": (
        "Its bucket of requests is full: messages go out as fast as the portal allows, and none is lost.",
        "Лимит запросов портала выбран: сообщения уходят так быстро, как он разрешает, и ни одно не пропадёт.",
    ),
    "outbox.says.unserved": (
        "Messages wait, and nobody sends them: is a worker running (relay serve, relay work)?",
        "Сообщения ждут, но никто их не отправляет: запущен ли relay serve или relay work?",
    ),
    "outbox.says.orphaned": (
        "Messages wait for it. Put it back into «portals:», or drop them.",
        "Для него ждут сообщения. Верните его в «portals:» или отбросьте их.",
    ),
    "outbox.says.rate": (
        "It refused us for asking too often. Messages wait, and we ask less: others on our address drink from the same "
        "bucket.",
        "Он отказал: запросов слишком много. Сообщения ждут, мы спрашиваем реже: лимит на нашем адресе общий.",
    ),
    "outbox.says.down": (
        "It does not answer, or only with errors. Messages wait, and go out by themselves once it works again.",
        "Он не отвечает или отвечает ошибкой. Сообщения ждут и уйдут сами, когда он заработает.",
    ),
    "outbox.says.closed": (
        "It answers, but not to us: the webhook, its permissions or the portal's plan. Messages wait; mend it there, "
        "«relay doctor» says what.",
        "Он отвечает, но не нам: дело в вебхуке, его правах или тарифе портала. Сообщения ждут; исправьте это там, "
        "«relay doctor» подскажет что.",
    ),
    "outbox.says.expired": (
        "Our access token has run out and could not be renewed. Messages wait; install the application anew.",
        "Наш токен доступа истёк и не обновился. Сообщения ждут; установите приложение заново.",
    ),
    "outbox.why": ("What it said", "Что он сказал"),
    "outbox.paused_since": ("Paused since", "На паузе с"),
    "outbox.asked_again": ("Asked again", "Следующая попытка"),
    "outbox.waits": ("Waiting", "Ждут"),
    "outbox.lag": ("The oldest waits for", "Самое старое ждёт"),
    "outbox.bucket": ("Bucket", "Лимит запросов"),
    "outbox.bucket_of": ("{level} of {burst} requests", "{level} из {burst} запросов"),
    "outbox.share": ("{n} % of the portal's is ours", "наша доля {n} % от лимита портала"),
    "outbox.holder": ("Delivered by", "Кто отправляет"),
    "outbox.nobody_holds": ("nobody just now", "сейчас никто"),
    "outbox.day": ("The last 24 hours", "Последние 24 часа"),
    "outbox.no_samples": ("It was not called in the last 24 hours.", "За последние 24 часа он не вызывался."),
    "outbox.drawn_level": (
        "The bucket held up to {level} of {burst} requests.",
        "Запросов в лимите было не больше {level} из {burst}.",
    ),
    "outbox.drawn_waiting": (
        "Up to {n} message waited, the oldest for up to {lag}.|Up to {n} messages waited, the oldest for up to {lag}.",
        "Ждало до {n} сообщения, самое старое до {lag}.|Ждало до {n} сообщений, самое старое до {lag}.|"
        "Ждало до {n} сообщений, самое старое до {lag}.",
    ),
    "outbox.drawn_none": ("Nothing waited.", "Ничего не ждало."),
    "outbox.drawn_paused": ("Paused:", "На паузе:"),
    "outbox.never_paused": ("It was never paused.", "Пауз не было."),
    # How long.
    "outbox.seconds": ("{n} s", "{n} с"),
    "outbox.minutes": ("{n} min", "{n} мин"),
    "outbox.hours": ("{n} h {m} min", "{n} ч {m} мин"),
    "outbox.days": ("{n} d {m} h", "{n} д {m} ч"),
}

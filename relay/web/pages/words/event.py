"""The words of one event's page and of its replay."""

WORDS = {
    "event.title": ("Event {n}", "Событие {n}"),
    "event.question": ("Who was told, why, and of what?", "Кому сказали, почему и о чём?"),
    "event.source": ("Source", "Источник"),
    "event.kind": ("Event", "Событие"),
    "event.received": ("Received", "Получено"),
    "event.decided": ("Decided", "Решено"),
    "event.note": ("Note", "Замечание"),
    # Messages
    "event.messages": ("Messages", "Сообщения"),
    "event.no_messages": ("No message was made of it.", "Ни одного сообщения из него не вышло."),
    "event.undecided": (
        "It has not been decided yet. If this stays so, no worker is running (`relay work`).",
        "Решения ещё нет. Если так и останется, не запущен исполнитель (`relay work`).",
    ),
    "event.more": (
        "and {n} earlier message|and {n} earlier messages",
        "и ещё {n} более раннее|и ещё {n} более ранних|и ещё {n} более ранних",
    ),
    "event.to": ("Recipient", "Получатель"),
    "event.by": ("By the rule", "По правилу"),
    "event.account": ("id {id} on {portal}", "id {id} на {portal}"),
    "event.tag": ("Replaces by the tag", "Заменяет по тегу"),
    "event.urgent": ("urgent", "срочно"),
    "event.why": ("Why", "Причина"),
    "event.deletes": ("Takes away the notification of this tag.", "Убирает уведомление с этим тегом."),
    "event.refused": (
        "The portal would not take the blocks; the text goes without them.",
        "Портал не примет блоки; уйдёт один текст.",
    ),
    "event.preview": ("As Bitrix24 shows it", "Как это покажет Битрикс24"),
    "event.attempts": ("Attempts, and what the portal answered", "Попытки и ответы портала"),
    "event.no_attempts": ("Not tried yet.", "Попыток ещё не было."),
    "event.never_tried": ("It was never sent.", "Его не отправляли."),
    "event.superseded": ("Message {n} took its place.", "Его место заняло сообщение {n}."),
    "event.verdict": ("Verdict", "Итог"),
    "attempt.delivered": ("delivered", "доставлено"),
    "attempt.muted": ("switched off by the recipient", "получатель отключил уведомления"),
    "attempt.refused": ("recipient refused", "получатель не принят"),
    "attempt.later": ("later", "позже"),
    "attempt.plain": ("again without blocks", "ещё раз без блоков"),
    "attempt.dead": ("given up", "больше не пробуем"),
    "attempt.unknown": ("no answer", "ответа не было"),
    # The tree
    "event.because": ("Why", "Почему"),
    "event.rules_now": (
        "Asked again at the time of its arrival, by the rules and silences as they are now.",
        "Спрошено заново на момент прихода, по правилам и тишинам, какие они сейчас.",
    ),
    "event.of_several": ("Event {n} of {all} in this request", "Событие {n} из {all} в этом запросе"),
    "event.undecidable": ("It cannot be decided now: {why}.", "Сейчас решить нельзя: {why}."),
    "event.answers": ("answers", "отвечает"),
    "event.fails": ("does not match", "не подходит"),
    "event.passed": ("not asked", "не спрошено"),
    "event.failed": ("{field} is {seen}, not {expected}", "{field}: {seen}, а нужно {expected}"),
    "event.nothing": ("nothing", "пусто"),
    "event.rules_left_out": (
        "and {n} more rule that did not answer|and {n} more rules that did not answer",
        "и ещё {n} правило, которое не ответило|и ещё {n} правила, которые не ответили|"
        "и ещё {n} правил, которые не ответили",
    ),
    "event.unmapped": ("Nobody known by: {names}", "Никого не знаем по имени: {names}"),
    "event.outcome": ("Nobody is told: {why}.", "Никому не говорим: {why}."),
    "event.would_tell": ("To be told: {names}.", "Адресаты: {names}."),
    "note.not reached": ("not reached", "очередь не дошла"),
    "note.stops here": ("stops here", "дальше не идёт"),
    "note.continue": ("goes on", "идёт дальше"),
    "note.its finer rules answer": ("its finer rules answer", "отвечают вложенные правила"),
    "note.no rule matched": ("no rule matched", "ни одно правило не подошло"),
    "note.drops the event": ("drops the event", "отбрасывает событие"),
    "note.nobody to tell": ("nobody to tell", "сказать некому"),
    # What came
    "event.came": ("What came", "Что пришло"),
    "event.headers": (
        "{n} header, without secrets|{n} headers, without secrets",
        "{n} заголовок, без секретов|{n} заголовка, без секретов|{n} заголовков, без секретов",
    ),
    "event.body": ("Body, {n} byte|Body, {n} bytes", "Тело, {n} байт|Тело, {n} байта|Тело, {n} байт"),
    "event.cut": ("Only its beginning is shown.", "Показано только начало."),
    "event.download": ("Download it whole", "Скачать целиком"),
    "event.pruned": ("{why}.", "{why}."),
    # Replay
    "event.replay": ("Replay…", "Повторить…"),
    "event.queued": (
        "{n} message is queued.|{n} messages are queued.",
        "В очереди {n} сообщение.|В очереди {n} сообщения.|В очереди {n} сообщений.",
    ),
    "event.none_queued": ("Nothing was queued.", "В очередь ничего не встало."),
    "event.left": (
        "{n} was left out: its recipient has been told of a later state.|"
        "{n} were left out: their recipients have been told of a later state.",
        "{n} не отправлено: получатель уже знает более позднее состояние.|"
        "{n} не отправлены: получатели уже знают более позднее состояние.|"
        "{n} не отправлены: получатели уже знают более позднее состояние.",
    ),
    "replay.title": ("Replay of event {n}", "Повтор события {n}"),
    "replay.question": ("What would it lead to now?", "К чему оно приведёт сейчас?"),
    "replay.how": (
        "Decided by the rules of now, as if nothing had come before it. Nothing is sent until you say so below.",
        "Решено по нынешним правилам, как если бы до него ничего не приходило. "
        "Пока вы не скажете ниже, ничего не отправится.",
    ),
    "replay.would": ("What would be sent", "Что было бы отправлено"),
    "replay.nothing": ("Nothing would be sent.", "Ничего бы не отправилось."),
    "replay.newer": (
        "Not for real: message {n} tells its recipient a later state.",
        "По-настоящему не уйдёт: сообщение {n} говорит получателю о более позднем состоянии.",
    ),
    "replay.test": ("Send all of it to one person, as a test", "Отправить всё одному человеку, для проверки"),
    "replay.test_says": (
        "Marked as a repeat; replaces nothing that is real.",
        "С пометкой о повторе; ничего настоящего не заменит.",
    ),
    "replay.to": ("To", "Кому"),
    "replay.send_test": ("Send the test", "Отправить для проверки"),
    "replay.real": ("Send it for real", "Отправить по-настоящему"),
    "replay.real_says": (
        "To those whom it is for; replaces what they were told before.",
        "Тем, кому положено; заменит то, что им было сказано раньше.",
    ),
    "replay.send_real": (
        "Send {n} message for real|Send {n} messages for real",
        "Отправить {n} сообщение по-настоящему|Отправить {n} сообщения по-настоящему|"
        "Отправить {n} сообщений по-настоящему",
    ),
    "replay.none_real": (
        "There is nothing to send: everybody has been told of a later state.",
        "Отправлять нечего: все уже знают более позднее состояние.",
    ),
    "replay.reader": (
        "With the reader's password nothing can be sent.",
        "С паролем для просмотра отправить ничего нельзя.",
    ),
    "replay.waits": (
        "It waits for its first decision, and cannot be sent for real before that.",
        "Оно ждёт первого решения; по-настоящему до этого не повторить.",
    ),
}

"""The words of the sign-in page. Never a hint at what was wrong with a password."""

WORDS = {
    "sign_in.title": ("Sign in", "Вход"),
    "sign_in.what": (
        "Here you see what came in, who was told, and why.",
        "Здесь видно, что пришло, кому сказали и почему.",
    ),
    "sign_in.password": ("Password", "Пароль"),
    "sign_in.enter": ("Sign in", "Войти"),
    "sign_in.wrong": ("That is not the password.", "Пароль не подходит."),
    "sign_in.throttled": (
        "Too many wrong passwords. Try again in {n} minute.|Too many wrong passwords. Try again in {n} minutes.",
        "Слишком много неверных паролей. Повторите через {n} минуту.|"
        "Слишком много неверных паролей. Повторите через {n} минуты.|"
        "Слишком много неверных паролей. Повторите через {n} минут.",
    ),
    "sign_in.used": (
        "This link has been used already, or is too old. Sign in with the password.",
        "Эта ссылка уже использована или устарела. Войдите по паролю.",
    ),
    "sign_in.which": (
        "It is the relay's RELAY_ADMIN_PASSWORD; RELAY_READER_PASSWORD lets you look.",
        "Это RELAY_ADMIN_PASSWORD релея; с RELAY_READER_PASSWORD можно смотреть.",
    ),
}

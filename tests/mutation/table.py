"""Which files are changed on purpose, and which tests should notice: the nearest first, then others of its room.

Never all tests of the house: what a room promises, the tests of the room hold.
"""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]


def _room(*paths: str) -> list[str]:
    """Test files, and those of folders: first the named ones, each once."""
    files = [[path] if path.endswith(".py") else sorted(_below(path)) for path in paths]
    return list(dict.fromkeys(file for some in files for file in some))


def _below(folder: str) -> list[str]:
    return [path.relative_to(ROOT).as_posix() for path in (ROOT / folder).rglob("test_*.py")]


BITRIX = ["tests/bitrix"]
SENDERS = [
    f"tests/sources/test_{name}.py"
    for name in ("auth", "standard_webhooks", "json_source", "foreign_signers", "any_request", "github", "gitlab")
]
RULES = [  # of the room, without its long searches for any input at all
    f"tests/rules/test_{name}.py"
    for name in (
        "deciding",
        "noise",
        "oncall",
        "times",
        "routing",
        "conditions",
        "matchers",
        "only_if",
        "explain",
        "complaints",
    )
]
SEARCHES = ["tests/rules/test_cel.py", "tests/rules/test_index.py"]
STORE = [  # of the room, without what backs up, searches, counts visitors…
    f"tests/store/test_{name}.py"
    for name in ("outbox", "turns", "journal", "bell", "group_commit", "counters", "listing", "stateful")
] + ["tests/test_kept_back.py"]

TESTS = {
    "relay/bitrix/pace.py": _room("tests/bitrix/test_pace.py", *BITRIX),
    "relay/bitrix/answer.py": _room("tests/bitrix/test_answer.py", *BITRIX),
    "relay/bitrix/refusals.py": _room("tests/bitrix/test_answer.py", *BITRIX),
    "relay/bitrix/call.py": _room("tests/bitrix/test_call.py", *BITRIX),
    "relay/sources/auth.py": _room(*SENDERS),
    "relay/sources/proof.py": _room(*SENDERS),
    "relay/sources/standard_signature.py": _room("tests/sources/test_standard_webhooks.py", *SENDERS),
    "relay/store/turns.py": _room("tests/store/test_turns.py", *STORE),
    "relay/store/leases.py": _room("tests/store/test_leases.py", "tests/store/test_database.py", *STORE),
    "relay/store/streams.py": _room("tests/store/test_outbox.py", *STORE),
    "relay/store/outbox.py": _room("tests/store/test_outbox.py", "tests/store/test_outbox_asked.py", *STORE),
    "relay/store/journal.py": _room("tests/store/test_journal.py", *STORE),
    "relay/store/prepared.py": _room("tests/store/test_prepared.py", *STORE),
    "relay/store/sqlite.py": _room(
        "tests/store/test_sqlite.py", "tests/store/test_database.py", "tests/store/test_prepared.py", *STORE
    ),
    "relay/store/group_commit.py": _room("tests/store/test_group_commit.py", *STORE),
    "relay/rules/deciding.py": _room(*RULES),
    "relay/rules/routing.py": _room("tests/rules/test_routing.py", *RULES),
    "relay/rules/index.py": _room("tests/rules/test_index.py", *RULES),
    "relay/rules/comparisons.py": _room("tests/rules/test_conditions.py", *RULES),
    "relay/rules/conditions.py": _room("tests/rules/test_conditions.py", *RULES, *SEARCHES),
    "relay/rules/noise.py": _room("tests/rules/test_noise.py", *RULES, "tests/test_kept_back.py"),
    "relay/rules/ripening.py": _room("tests/rules/test_noise.py", "tests/test_kept_back.py", *RULES),
    "relay/rules/silences.py": _room("tests/rules/test_noise.py", "tests/test_kept_back.py", *RULES),
    "relay/rules/times.py": _room("tests/rules/test_times.py", "tests/rules/test_calendar.py", *RULES),
    "relay/rules/calendar.py": _room("tests/rules/test_calendar.py", "tests/rules/test_times.py", *RULES),
    "relay/rules/addressing.py": _room(*RULES),
    "relay/rules/recipients.py": _room("tests/rules/test_deciding.py", "tests/rules/test_oncall.py", *RULES),
    "relay/rules/people.py": _room("tests/rules/test_oncall.py", "tests/rules/test_accounts.py", *RULES),
}

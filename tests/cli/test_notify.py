"""`relay notify` from the outside: exit codes, JSON on stdout, words on stderr, and no secret in either."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from relay.cli.main import main
from relay.cli.notify import notify
from tests.bitrix.portal import Deed, ScriptedPortal, answer, close_after_reading, hang, reset_after_reading

KEY, TOKEN = "k3yk3yk3y", "t0kent0ken"
WEBHOOK = f"https://p.bitrix24.ru/rest/1/{KEY}/"
TIME = {"start": 1775048400.41, "finish": 1775048400.47}
DONE = {"result": 98012, "time": TIME}
BLOCK = {"IMAGE": {"NAME": "Лого", "LINK": "https://x/y.png"}}

shown: list[str] = []
"""Everything that any test of this file has seen printed; the last test looks through it."""


def run(*arguments: str, stdin: bytes | None = None, env: dict[str, str | None] | None = None) -> Result:
    clean = dict.fromkeys(("BITRIX24_WEBHOOK_URL", "BITRIX24_TOKEN"))
    result = CliRunner().invoke(main, ["notify", *arguments], input=stdin, env={**clean, **(env or {})})
    shown.append(result.output)
    shown.append(repr(result.exception))
    return result


def said(result: Result, *, code: int = 0) -> Any:
    """What stdout says, by a strict reader."""
    assert result.exit_code == code, result.output

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    return json.loads(result.stdout, parse_constant=refuse)


def dry(*arguments: str, **more: Any) -> Any:
    return said(run("personal", "-u", WEBHOOK, "-s", "17", "--dry-run", *arguments, **more))["body"]


@pytest.fixture
def portal() -> Iterator[ScriptedPortal]:
    with ScriptedPortal(answer(DONE)) as scripted:
        yield scripted


def at(portal: ScriptedPortal) -> list[str]:
    return ["--url", portal.url(f"/rest/1/{KEY}/")]


# ── The commands and their names ──────────────────────────────────────────────────────────────────────────────


def test_a_notification_is_sent_and_its_answer_printed(portal: ScriptedPortal) -> None:
    result = run("personal", *at(portal), "--user", "17", "--text", "[b]Привет[/b]", "--tag", "t", "--blocks", "")

    assert said(result) == DONE
    assert result.stderr == ""
    assert portal.seen[0].path == f"/rest/1/{KEY}/im.notify.personal.add"
    assert portal.seen[0].json == {"USER_ID": 17, "MESSAGE": "[b]Привет[/b]", "TAG": "t"}


@pytest.mark.parametrize(
    ("name", "method"),
    [
        ("personal", "im.notify.personal.add"),
        ("PERSONAL", "im.notify.personal.add"),
        ("СоздатьПерсональноеУведомление", "im.notify.personal.add"),
        ("создатьперсональноеуведомление", "im.notify.personal.add"),
        ("CreatePersonalNotification", "im.notify.personal.add"),
        ("system", "im.notify.system.add"),
        ("СоздатьСистемноеУведомление", "im.notify.system.add"),
        ("createsystemnotification", "im.notify.system.add"),
    ],
)
def test_a_command_answers_to_all_its_names(name: str, method: str) -> None:
    request = said(run(name, "-u", WEBHOOK, "-s", "17", "-t", "x", "--test"))

    assert request["url"] == f"https://p.bitrix24.ru/rest/1/***/{method}"


@pytest.mark.parametrize("name", ["delete", "УдалитьУведомление", "DeleteNotification"])
@pytest.mark.parametrize("letter", ["-k", "-t", "--token"])
def test_a_deletion_takes_openintegrations_letters(name: str, letter: str) -> None:
    request = said(run(name, "-u", "p.bitrix24.ru", "-n", "98012", letter, TOKEN, "--test"))

    assert request == {
        "method": "POST",
        "url": "https://p.bitrix24.ru/rest/im.notify.delete",
        "body": {"auth": "***", "ID": 98012},
    }


@pytest.mark.parametrize("name", ["image-block", "ПолучитьБлокКартинки", "getpictureblock"])
def test_the_picture_block(name: str) -> None:
    assert said(run(name, "-t", "Лого", "-u", "https://x/y.png")) == BLOCK


@pytest.mark.parametrize("name", ["file-block", "ПолучитьБлокФайла", "GetFileBlock"])
def test_the_file_block(name: str) -> None:
    expected = {"FILE": {"NAME": "a", "LINK": "https://x/y"}}

    assert said(run(name, "--title", "a", "--url=https://x/y")) == expected


def test_cyrillic_is_printed_as_it_is_and_indented() -> None:
    result = run("image-block", "-t", "Лого", "-u", "https://x/y.png")

    assert '\n    "NAME": "Лого"' in result.stdout


@pytest.mark.parametrize("arguments", [["--help"], ["personal", "--help"], ["delete", "--help"]])
def test_there_is_help_at_each_level(arguments: list[str]) -> None:
    result = run(*arguments)

    assert result.exit_code == 0
    assert "Usage:" in result.stdout


def test_the_long_and_the_short_letters_mean_the_same() -> None:
    long = run("personal", f"--url={WEBHOOK}", "--user=17", "--text=x", "--tag=t", f"--blocks={BLOCK}", "--test")
    short = run("personal", "-u", WEBHOOK, "-s", "17", "-t", "x", "-g", "t", "-b", str(BLOCK), "--dry-run")

    assert said(long) == said(short)
    assert said(long)["body"] == {"USER_ID": 17, "MESSAGE": "x", "TAG": "t", "ATTACH": [BLOCK]}


def test_a_value_may_begin_with_a_dash_and_the_last_of_two_wins() -> None:
    assert dry("-t", "first", "-t", "-5 degrees")["MESSAGE"] == "-5 degrees"


# ── Where values come from ────────────────────────────────────────────────────────────────────────────────────


def test_address_and_token_may_stand_in_the_environment() -> None:
    webhook = run("personal", "-s", "17", "-t", "x", "--test", env={"BITRIX24_WEBHOOK_URL": WEBHOOK})
    application = run(
        "personal",
        *("-s", "17", "-t", "x", "--test"),
        env={"BITRIX24_WEBHOOK_URL": "p.bitrix24.ru", "BITRIX24_TOKEN": TOKEN},
    )

    assert said(webhook)["url"] == "https://p.bitrix24.ru/rest/1/***/im.notify.personal.add"
    assert said(application)["body"] == {"auth": "***", "USER_ID": 17, "MESSAGE": "x"}


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        (r"a\nb\rc\fd\ve", "a\nb\rc\fd\ve"),
        (r"[B]Внимание[/B]\nтекст", "[B]Внимание[/B]\nтекст"),
        (r"{a}\nb", "{a}\nb"),
        (r"C:\\new\\report", r"C:\new\report"),
        (r"C:\temp \x \\server", r"C:\temp \x \\server"),
        (r"\\\\n", r"\\\n"),
        ("real\nbreak", "real\nbreak"),
        ("@@ivan look", "@ivan look"),
        ("ends with @", "ends with @"),
        ("quotes \" and ' and ; and $(x)", "quotes \" and ' and ; and $(x)"),
    ],
)
def test_escapes_are_openintegrations_without_its_traps(typed: str, text: str) -> None:
    assert dry("-t", typed)["MESSAGE"] == text


def test_text_and_blocks_may_stand_in_files(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("строка\nдругая \\n", encoding="utf-8")
    (tmp_path / "blocks.json").write_text(json.dumps([BLOCK]), encoding="utf-8")

    expected = {"USER_ID": 17, "MESSAGE": "строка\nдругая \\n", "ATTACH": [BLOCK]}
    assert dry("-t", f"@{tmp_path}/text", "-b", f"@{tmp_path}/blocks.json") == expected
    assert dry("-t", f"@{tmp_path}/text", "-b", f"{tmp_path}/blocks.json") == expected


def test_text_or_blocks_may_come_from_stdin() -> None:
    assert dry("-t", "-", stdin="привет".encode())["MESSAGE"] == "привет"
    assert dry("-t", "x", "-b", "-", stdin=json.dumps(BLOCK).encode())["ATTACH"] == [BLOCK]
    assert run("personal", "-u", WEBHOOK, "-s", "17", "-t", "-", "-b", "-").exit_code == 2


def test_doubtful_blocks_are_sent_with_a_warning() -> None:
    result = run("personal", "-u", WEBHOOK, "-s", "17", "-t", "x" * 20_001, "-b", "[{'OTHER': 1}]", "--test")

    assert said(result)["body"]["ATTACH"] == [{"OTHER": 1}]
    assert "warning: block 1" in result.stderr
    assert "warning: the text is longer" in result.stderr


# ── What is printed, and the exit code ────────────────────────────────────────────────────────────────────────


def send(portal: ScriptedPortal, *arguments: str) -> Result:
    return run("personal", *at(portal), "-s", "17", "-t", "x", "--retries", "0", *arguments)


@pytest.mark.parametrize(
    ("status", "code", "sentence"),
    [
        (401, "INVALID_CREDENTIALS", "make a new webhook"),
        (400, "ATTACH_ERROR", "cannot read the blocks"),
        (503, "QUERY_LIMIT_EXCEEDED", "too many requests"),
        (200, "expired_token", "has expired"),
        (400, "SOMETHING_NEW", "does not accept the parameters"),
    ],
)
def test_an_error_answer_is_printed_explained_and_ends_with_one(status: int, code: str, sentence: str) -> None:
    content = {"error": code, "error_description": "why"}
    with ScriptedPortal(answer(content, status)) as portal:
        result = send(portal)

    assert said(result, code=1) == content
    assert code.upper() in result.stderr
    assert sentence in result.stderr


def test_a_recipient_who_is_refused_ends_with_one() -> None:
    with ScriptedPortal(answer({"result": False, "time": TIME})) as portal:
        result = send(portal)

    assert said(result, code=1)["result"] is False
    assert "no such person" in result.stderr


def test_a_recipient_who_has_switched_it_off_is_told_of_and_ends_with_zero() -> None:
    with ScriptedPortal(answer({"result": 1775048400, "time": TIME})) as portal:
        result = send(portal)

    assert said(result)["result"] == 1775048400
    assert "switched" in result.stderr


@pytest.mark.parametrize(("deleted", "code"), [(True, 0), (False, 1)])
def test_a_deletion_of_nothing_ends_with_one(deleted: bool, code: int) -> None:
    with ScriptedPortal(answer({"result": deleted})) as portal:
        result = run("delete", *at(portal), "-n", "5")

    assert said(result, code=code) == {"result": deleted}


@pytest.mark.parametrize(("status", "body"), [(200, b"<html>page"), (502, b"<html>page"), (200, b""), (404, b"[1]")])
def test_what_is_no_answer_ends_with_one_and_leaves_stdout_empty(status: int, body: bytes) -> None:
    with ScriptedPortal(answer(body, status)) as portal:
        result = send(portal)

    assert (result.exit_code, result.stdout) == (1, "")
    assert f"HTTP {status}" in result.stderr


def test_the_full_answer_is_json_also_around_a_web_page() -> None:
    page = f"<html>/rest/1/{KEY}/ not found".encode()
    with ScriptedPortal(answer(page, 404, x_a="b")) as portal:
        full = said(send(portal, "--full"), code=1)

    assert (full["status"], full["headers"]["x-a"]) == (404, "b")
    assert full["body"] == "<html>/rest/1/***/ not found"


def test_silence_ends_with_one(portal: ScriptedPortal) -> None:
    with ScriptedPortal(reset_after_reading) as broken:
        result = send(broken)

    assert (result.exit_code, result.stdout) == (1, "")
    assert "connection broke" in result.stderr


def test_the_answer_may_go_to_a_file(portal: ScriptedPortal, tmp_path: Path) -> None:
    result = send(portal, "--out", str(tmp_path / "answer.json"))

    assert (result.exit_code, result.stdout) == (0, "")
    assert json.loads((tmp_path / "answer.json").read_text(encoding="utf-8")) == DONE
    assert "answer.json" in result.stderr


def test_an_answer_that_cannot_be_written_is_not_lost(portal: ScriptedPortal, tmp_path: Path) -> None:
    result = send(portal, "--out", str(tmp_path / "no" / "answer.json"))

    assert said(result, code=1) == DONE
    assert "cannot be written" in result.stderr


def test_debugging_tells_request_answer_and_waits_on_stderr(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("relay.cli.notify.time.sleep", lambda seconds: None)
    limit = answer({"error": "QUERY_LIMIT_EXCEEDED"}, 503)
    with ScriptedPortal(limit, answer(DONE)) as portal:
        result = run("personal", *at(portal), "-s", "17", "-t", "привет", "--debug")

    assert said(result) == DONE
    assert '"MESSAGE": "привет"' in result.stderr
    assert "once more in" in result.stderr
    assert '"status": 200' in result.stderr


def test_a_dry_run_sends_nothing(portal: ScriptedPortal) -> None:
    run("personal", *at(portal), "-s", "17", "-t", f"my key is {KEY}", "--dry-run")

    assert portal.connections == 0


def test_a_timeout_is_the_users() -> None:
    with ScriptedPortal(hang) as portal:
        result = send(portal, "--timeout", "0.2")

    assert result.exit_code == 1
    assert "does not answer in time" in result.stderr


def test_a_proxy_is_the_users(portal: ScriptedPortal) -> None:
    with ScriptedPortal(answer(DONE)) as proxy:
        said(send(portal, "--proxy", f"http://me:{TOKEN}@127.0.0.1:{proxy.port}"))

    assert (len(proxy.seen), len(portal.seen)) == (1, 0)


# ── Wrong usage ───────────────────────────────────────────────────────────────────────────────────────────────

GOOD = ["-u", WEBHOOK, "-s", "17", "-t", "x"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["personal"],
        ["personal", "-u", WEBHOOK],
        ["personal", "-u", WEBHOOK, "-s", "17"],
        ["personal", *GOOD, "-s", "0"],
        ["personal", *GOOD, "-s", KEY],
        ["personal", *GOOD, "-t", " "],
        ["personal", *GOOD, "-t", "@/no/such/file"],
        ["personal", *GOOD, "-b", "[{]"],
        ["personal", *GOOD, "-b", f"https://x/{KEY}"],
        ["personal", *GOOD, "-k", TOKEN],
        ["personal", *GOOD, "-u", f"http://p.bitrix24.ru/rest/1/{KEY}/"],
        ["personal", *GOOD, "-u", KEY],
        ["personal", *GOOD, "--timeout", KEY],
        ["personal", *GOOD, "--timeout", "0"],
        ["personal", *GOOD, "--retries", TOKEN],
        ["personal", *GOOD, f"--retries={WEBHOOK}"],
        ["personal", *GOOD, WEBHOOK],
        ["personal", *GOOD, "=", TOKEN, WEBHOOK],
        ["personal", *GOOD, f"--tokn={TOKEN}"],
        ["personal", *GOOD, f"--{KEY}"],
        ["personal", *GOOD, f"-x{KEY}"],
        ["personal", *GOOD, f"--debug={KEY}"],
        ["personal", *GOOD, "--out", "/"],
        ["personal", "-u"],
        ["delete", "-u", WEBHOOK, "-n", KEY],
        ["image-block", KEY],
        [WEBHOOK],
        [KEY, *GOOD],
        [f"--token={TOKEN}", "personal"],
        [f"-k{TOKEN}", "personal"],
    ],
)
def test_wrong_usage_ends_with_two_and_repeats_no_value(arguments: list[str]) -> None:
    result = run(*arguments)

    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert "Error" in result.stderr
    assert KEY not in result.stderr
    assert TOKEN not in result.stderr


def test_plain_http_beyond_this_machine_is_for_those_who_insist() -> None:
    url = f"http://box.invalid/rest/1/{KEY}/"

    assert run("personal", "-u", url, "-s", "17", "-t", "x", "--test").exit_code == 2
    request = said(run("personal", "-u", url, "-s", "17", "-t", "x", "--test", "--insecure"))
    assert request["url"].startswith("http://box.invalid/rest/1/***/")


@pytest.mark.parametrize("debug", [[], ["--debug"]])
def test_a_fault_of_our_own_is_told_without_its_text(debug: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError(f"{WEBHOOK} {KEY}")

    monkeypatch.setattr("relay.cli.notify.call_method", broken)
    result = run("personal", *GOOD, *debug)

    assert result.exit_code == 1
    assert "RuntimeError" in result.stderr
    assert KEY not in result.stderr


def answers_that_repeat(secret: str) -> list[Deed]:
    told = {"error": "X", "error_description": f"bad {secret}", secret: [secret]}
    return [answer(DONE), answer(f"<p>{secret}".encode(), 500), answer(told, 400), close_after_reading]


@pytest.mark.parametrize("more", [[], ["--debug"], ["--full"], ["--full", "--debug"], ["--dry-run"]])
@pytest.mark.parametrize("which", range(4))
def test_a_secret_is_never_printed_whoever_repeats_it(which: int, more: list[str]) -> None:
    with ScriptedPortal(answers_that_repeat(KEY)[which]) as portal:
        webhook = run("personal", *at(portal), "-s", "17", "-t", f"x {KEY}", *more)
    with ScriptedPortal(answers_that_repeat(TOKEN)[which]) as portal:
        application = run("personal", "-u", portal.url(""), "-k", TOKEN, "-s", "17", "-t", f"x {TOKEN}", *more)

    assert KEY not in webhook.output
    assert TOKEN not in application.output


def test_every_option_has_a_help_text() -> None:
    options = [
        parameter
        for each in notify.commands.values()
        for parameter in each.params
        if isinstance(parameter, click.Option) and not parameter.hidden
    ]

    assert options
    assert all(option.help for option in options)


def test_in_all_that_was_printed_above_there_is_no_secret() -> None:
    everything = "\n".join(shown)

    assert len(shown) > 2 or pytest.skip("run the whole file")
    assert KEY not in everything
    assert TOKEN not in everything

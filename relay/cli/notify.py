"""`relay notify`: one notification from the command line, for scripts and for those who come from OpenIntegrations.

Never prints a secret, whatever goes wrong, and prints nothing but JSON on stdout.
"""

from __future__ import annotations

import functools
import json
import re
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NoReturn

import click

from relay.bitrix import blocks
from relay.bitrix.address import Address, BadAddress, parse
from relay.bitrix.answer import explain, is_error, sent_verdict
from relay.bitrix.blocks import BadBlocks
from relay.bitrix.call import DELETE, PERSONAL, SYSTEM, TEXT_LIMIT
from relay.bitrix.client import READ_TIMEOUT
from relay.bitrix.notify import RETRIES, BadNotification, Options, call_method, deletion, fetcher, notification
from relay.cli.discreet import DiscreetCommand, DiscreetGroup
from relay.errors import RelayError
from relay.model import Delivered, Muted, Refused, Unknown

# What OpenIntegrations calls them: its scripts move over by the command's first words.
_ALSO = {
    "СоздатьПерсональноеУведомление": "personal",
    "CreatePersonalNotification": "personal",
    "СоздатьСистемноеУведомление": "system",
    "CreateSystemNotification": "system",
    "УдалитьУведомление": "delete",
    "DeleteNotification": "delete",
    "ПолучитьБлокКартинки": "image-block",
    "GetPictureBlock": "image-block",
    "ПолучитьБлокФайла": "file-block",
    "GetFileBlock": "file-block",
}
_ESCAPE = re.compile(r"(\\\\?)([nrfv])")
_CONTROL = {"n": "\n", "r": "\r", "f": "\f", "v": "\v"}


# ── What all commands that send have in common ──────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class _How:
    """Where to, how, and what to show of it."""

    url: str
    token: str
    out: Path | None
    debug: bool
    dry_run: bool
    full: bool
    timeout: float
    proxy: str
    retries: int
    insecure: bool


_OUT = click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write the answer to this file.")
_SENDING = (
    click.option(
        "--url",
        "-u",
        required=True,
        envvar="BITRIX24_WEBHOOK_URL",
        show_envvar=True,
        help="An incoming webhook's address; with a token, the portal's domain.",
    ),
    click.option("--token", "-k", default="", envvar="BITRIX24_TOKEN", show_envvar=True, help="An access token."),
    _OUT,
    click.option("--full", is_flag=True, help="Print status, headers and body, not the body alone."),
    click.option("--debug", is_flag=True, help="Tell on stderr what is sent and what comes, secrets hidden."),
    click.option("--dry-run", "--test", is_flag=True, help="Print the request, secrets hidden, and send nothing."),
    click.option(
        "--timeout",
        type=click.FloatRange(0.1, 3600),
        default=READ_TIMEOUT,
        show_default=True,
        help="Seconds to wait for an answer.",
    ),
    click.option("--proxy", default="", help="A proxy's URL; else HTTPS_PROXY and NO_PROXY are heeded."),
    click.option(
        "--retries",
        type=click.IntRange(0, 20),
        default=RETRIES,
        show_default=True,
        help="Repeats of what surely was not carried out.",
    ),
    click.option("--insecure", is_flag=True, help="Allow plain http:// beyond this machine."),
)


def _sending(command: Callable[..., None]) -> Callable[..., None]:
    """Gather the common options into `_How`, the command's first argument."""

    @functools.wraps(command)
    def gathered(**values: Any) -> None:
        how = _How(**{name: values.pop(name) for name in _How.__slots__})
        command(how, **values)

    for option in reversed(_SENDING):
        gathered = option(gathered)
    return gathered


# ── The commands ────────────────────────────────────────────────────────────────────────────────────────────────


@click.group("notify", cls=DiscreetGroup, also=_ALSO)
def notify() -> None:
    """Send one notification, or take one back, at once and without the relay's queue.

    Names are accepted in any case, and as OpenIntegrations writes them (CreatePersonalNotification,
    СоздатьПерсональноеУведомление).
    """


def _notification(function: Callable[..., None]) -> Callable[..., None]:
    """The options of a notification itself."""
    for option in reversed(
        (
            click.option("--user", "-s", required=True, help="The recipient's number on the portal."),
            click.option(
                "--text",
                "-t",
                required=True,
                help=r"The text; \n breaks the line. @FILE or - (stdin) to read it; @@ for a text that begins with @.",
            ),
            click.option("--tag", "-g", default="", help="Replaces the notification that has this tag."),
            click.option(
                "--blocks",
                "-b",
                "attachments",
                default="",
                help="Blocks: JSON (in ' or \"), @FILE, an existing file, or - (stdin).",
            ),
            click.option("--fetch", is_flag=True, help="Let --blocks be a web address, and read it."),
        )
    ):
        function = option(function)
    return function


@notify.command("personal", cls=DiscreetCommand)
@_notification
@_sending
def personal(how: _How, **given: Any) -> None:
    """Notify a person in the name of the webhook's owner (im.notify.personal.add)."""
    _send(how, PERSONAL, **given)


@notify.command("system", cls=DiscreetCommand)
@_notification
@_sending
def system(how: _How, **given: Any) -> None:
    """Notify a person in nobody's name (im.notify.system.add)."""
    _send(how, SYSTEM, **given)


@notify.command("delete", cls=DiscreetCommand)
@click.option("--notif", "-n", required=True, help="The notification's number.")
@click.option("-t", "also_token", default="", hidden=True)  # OpenIntegrations' letter for the token, here only
@_sending
def delete(how: _How, notif: str, also_token: str) -> None:
    """Delete a notification from the caller's own list (im.notify.delete)."""
    _run(replace(how, token=also_token or how.token), DELETE, lambda _options: deletion(notif))


def _block(function: Callable[..., None]) -> Callable[..., None]:
    for option in reversed(
        (
            click.option("--title", "-t", default="", help="The name to show."),
            click.option("--url", "-u", default="", help="Where it is."),
            _OUT,
        )
    ):
        function = option(function)
    return function


@notify.command("image-block", cls=DiscreetCommand)
@_block
def image_block(title: str, url: str, out: Path | None) -> None:
    """Print a block that shows a picture, for --blocks."""
    _emit(blocks.image_block(title, url), out)


@notify.command("file-block", cls=DiscreetCommand)
@_block
def file_block(title: str, url: str, out: Path | None) -> None:
    """Print a block that offers a file, for --blocks."""
    _emit(blocks.file_block(title, url), out)


# ── From options to the answer ──────────────────────────────────────────────────────────────────────────────────


def _send(how: _How, method: str, *, user: str, text: str, tag: str, attachments: str, fetch: bool) -> None:
    if text == attachments == "-":
        raise click.UsageError("only one of --text and --blocks can be read from stdin")

    def parameters(options: Options) -> dict[str, Any]:
        given = _stdin() if attachments == "-" else attachments
        reader = fetcher({**options, "fetch": fetch})
        return notification(user, _text(text), tag, given, fetch=reader)

    _run(how, method, parameters)


def _run(how: _How, method: str, parameters: Callable[[Options], dict[str, Any]]) -> None:
    """Build the request, send or show it, print the answer, and end with the exit code that it deserves."""
    try:
        address = parse(how.url, how.token, insecure=how.insecure)
    except BadAddress as error:
        raise click.UsageError(str(error)) from None
    hide = _hider(how, address)
    options: Options = {
        "timeout": how.timeout,
        "proxy": how.proxy,
        "retries": how.retries,
        "insecure": how.insecure,
        "full": True,
        "sleep": functools.partial(_pause, how.debug),
    }
    try:
        payload = parameters(options)
        _say_doubts(payload)
        request = _request(address, method, payload)
        if how.dry_run:
            _emit(_hidden(request, hide), how.out)
            return
        if how.debug:
            _say(_json(_hidden(request, hide)))
        begun = time.monotonic()
        reply = call_method(how.url, method, payload, how.token, **options)
        if how.debug:
            _say(f"answered in {time.monotonic() - begun:.3f} s:\n{_json(_hidden(reply, hide))}")
    except (BadNotification, BadBlocks) as error:
        raise click.UsageError(str(error)) from None
    except RelayError as error:
        _fail(hide(str(error)))
    except click.ClickException:
        raise
    except Exception as error:  # whatever it is, its text may hold a secret
        _fail(hide(traceback.format_exc()) if how.debug else f"{type(error).__name__} in the relay; --debug tells more")
    answer = reply["body"]
    if how.full or isinstance(answer, dict):
        _emit(_hidden(reply if how.full else answer, hide), how.out)
    _judge(method, reply, address.host, hide)


def _judge(method: str, reply: Mapping[str, Any], host: str, hide: Callable[[str], str]) -> None:
    """Say on stderr what is wrong with an answer, and end with 1; or return."""
    answer, status = reply["body"], reply["status"]
    if not isinstance(answer, dict):
        begin = hide(str(answer or ""))[:500]
        _fail(f"{host} answers with HTTP {status} and no answer of the REST API; it may have been carried out\n{begin}")
    if is_error(answer):
        _fail(explain(answer, status))
    if method == DELETE:
        if answer.get("result") is not True:
            _fail("nothing deleted: there is no such notification in the caller's own list")
        return
    match sent_verdict(answer.get("result"), answer.get("time"), now=time.time()):
        case Delivered():
            return
        case Muted():
            _say("the recipient has switched these notifications off: nothing was shown")
        case Refused(why) | Unknown(why):
            _fail(why)


def _request(address: Address, method: str, payload: Mapping[str, Any]) -> dict[str, Any]:
    """The request as it would be sent, without its secrets."""
    return {
        "method": "POST",
        "url": f"{address.shown}{method}",
        "body": {**({"auth": "***"} if address.token else {}), **payload},
    }


def _say_doubts(payload: Mapping[str, Any]) -> None:
    found = blocks.doubts(payload.get("ATTACH"))
    if len(payload.get("MESSAGE", "")) > TEXT_LIMIT:
        found.append(f"the text is longer than {TEXT_LIMIT} characters: the portal will cut it")
    for doubt in found:
        _say(f"warning: {doubt}")


# ── Text in, text out ───────────────────────────────────────────────────────────────────────────────────────────


def _text(given: str) -> str:
    if given == "-":
        return _utf8(_stdin())
    if given.startswith("@") and not given.startswith("@@"):
        try:
            return _utf8(Path(given[1:]).read_bytes())
        except (OSError, ValueError):
            raise BadNotification(
                "the file of --text cannot be read; a text that itself begins with @ is written with @@"
            ) from None
    return _ESCAPE.sub(_unescaped, given.removeprefix("@") if given.startswith("@@") else given)


def _unescaped(sequence: re.Match[str]) -> str:
    r"""``\n`` as a line break; ``\\n`` as the two signs ``\n``."""
    slashes, letter = sequence.groups()
    return _CONTROL[letter] if len(slashes) == 1 else f"\\{letter}"


def _stdin() -> bytes:
    return sys.stdin.buffer.read()


def _utf8(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadNotification("the text is not UTF-8") from None


def _hider(how: _How, address: Address) -> Callable[[str], str]:
    def hide(text: str) -> str:
        text = address.hide(text)
        return text.replace(how.proxy, "***") if how.proxy else text

    return hide


def _hidden(value: Any, hide: Callable[[str], str]) -> Any:
    match value:
        case str():
            return hide(value)
        case dict():
            return {hide(key): _hidden(item, hide) for key, item in value.items()}
        case list() | tuple():
            return [_hidden(item, hide) for item in value]
        case _:
            return value


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False)


def _emit(value: Any, out: Path | None) -> None:
    """JSON in UTF-8 (RFC 8259 §8.1), whatever the terminal's own encoding is."""
    content = _json(value).encode("utf-8", "replace") + b"\n"
    if out is None:
        click.echo(content, nl=False)
        return
    try:
        out.write_bytes(content)
    except OSError as error:  # what it would have said must not be lost: it may have been sent
        click.echo(content, nl=False)
        _fail(f"the file of --out cannot be written: {error.strerror}")
    _say(f"{len(content)} bytes written to {out}")


def _pause(debug: bool, seconds: float) -> None:
    if debug:
        _say(f"not carried out; once more in {seconds:.1f} s")
    time.sleep(seconds)


def _say(sentence: str) -> None:
    click.echo(sentence.encode("utf-8", "replace"), err=True)


def _fail(sentence: str) -> NoReturn:
    _say(f"Error: {sentence}")
    sys.exit(1)

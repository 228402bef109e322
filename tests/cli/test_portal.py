"""An application is let in by a link and a paste; nothing that was pasted or given is ever printed."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from click.testing import CliRunner, Result

from relay.cli.main import main
from relay.model import PortalTrouble
from relay.sandbox import Portal, Server, serve
from relay.settings import Secret
from relay.store import portals, tokens
from relay.store.database import Database
from tests import apps

RULES = """\
version: 1
portals:
  hook: {{webhook: "https://hook.bitrix24.ru/rest/1/KEYKEYKEY/"}}
  main: {portal}
sources: {{x: {{type: json, open: true}}}}
people: {{}}
rules: []
default: drop
"""


class Login:
    """`relay portal login` in a process of its own, so that its link can be followed before it is answered."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "relay", "portal", "login"]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.STDOUT, text=True)
        self._printed = ""

    def link(self) -> str:
        assert self._process.stdout is not None
        while "Paste" not in self._printed:
            line = self._process.stdout.readline()
            assert line, self._printed
            self._printed += line
        found = re.search(r"http\S+/oauth/authorize/\S+", self._printed)
        assert found
        return found[0]

    def paste(self, text: str) -> tuple[int, str]:
        """Exit code and everything that was printed."""
        printed, _ = self._process.communicate(f"{text}\n", timeout=60)
        return self._process.returncode, self._printed + printed


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    with serve(Portal()) as running:
        rules = tmp_path / "rules.yaml"
        rules.write_text(RULES.format(portal=json.dumps(apps.way_in(running))), encoding="utf-8")
        monkeypatch.setenv("RELAY_RULES", str(rules))
        monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/relay.db")
        yield running


@pytest.fixture
def database(server: Server, tmp_path: Path) -> Iterator[Database]:
    opened = Database(Secret(f"sqlite:///{tmp_path}/relay.db"))
    opened.upgrade()
    yield opened
    opened.close()


def kept(database: Database, server: Server) -> tokens.Kept | None:
    with database.read() as tx:
        return tokens.get(tx, apps.owner(server))


def allowed(link: str) -> str:
    """Where the portal sends a person who follows the link and allows the application."""
    answer = requests.get(link, allow_redirects=False, timeout=10)
    assert answer.status_code == 302
    return answer.headers["Location"]


def code_of(address: str) -> str:
    return parse_qs(urlsplit(address).query)["code"][0]


def relay(*arguments: str) -> Result:
    result = CliRunner().invoke(main, ["portal", *arguments])
    assert [secret for secret in (*apps.SECRETS, "KEYKEYKEY") if secret in result.output] == []
    return result


@pytest.mark.parametrize("paste", [str, code_of], ids=["the whole address", "the code alone"])
def test_a_link_is_followed_and_the_address_pasted(
    server: Server, database: Database, paste: Callable[[str], str]
) -> None:
    login = Login()
    code, printed = login.paste(paste(allowed(login.link())))

    assert (code, "as user 1" in printed) == (0, True)
    assert [secret for secret in apps.SECRETS if secret in printed] == []
    found = kept(database, server)
    assert found is not None
    assert found.tokens.access.reveal() == server.portal.token


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda address: re.sub("state=[^&]+", "state=another", address), "not the address that this link leads to"),
        (lambda address: address.replace("state=", "x="), "not the address that this link leads to"),
        (lambda address: re.sub("code=[^&]+", "code=", address), "no code"),
        (lambda address: "sandbox-code-0", "log in again"),
        (lambda address: "", "start again"),
        (lambda address: "what is this?", "start again"),
    ],
)
def test_a_paste_that_is_not_good_keeps_nothing(
    server: Server, database: Database, spoil: Callable[[str], str], said: str
) -> None:
    login = Login()
    code, printed = login.paste(spoil(allowed(login.link())))

    assert (code, said in printed) == (1, True)
    assert kept(database, server) is None
    assert [secret for secret in apps.SECRETS if secret in printed] == []


def test_a_login_sets_a_paused_portal_going(server: Server, database: Database) -> None:
    with database.write() as tx:
        portals.in_trouble(tx, portals.get(tx, "main"), PortalTrouble("closed", "NO_TOKENS", "none"), tx.now + 300)
    login = Login()
    login.paste(allowed(login.link()))

    with database.write() as tx:
        assert portals.get(tx, "main").trouble == ""


def test_the_list_says_how_each_is_entered_and_what_is_wrong(server: Server, database: Database) -> None:
    before = {each["portal"]: each for each in json.loads(relay("list", "--json").stdout)}
    assert before["hook"]["way_in"] == "webhook"
    assert "relay portal login main" in before["main"]["trouble"]

    apps.let_in(database, server)

    after = {each["portal"]: each for each in json.loads(relay("list", "--json").stdout)}
    assert (after["main"]["trouble"], bool(after["main"]["tokens_since"])) == (None, True)
    assert "tags not measured" in relay("list").output


def test_forgotten_tokens_are_gone(server: Server, database: Database) -> None:
    apps.let_in(database, server)

    assert relay("forget", "main").exit_code == 0
    assert kept(database, server) is None
    assert relay("forget", "main").exit_code == 1


@pytest.mark.parametrize("name", ["hook", "nope"])
def test_only_an_application_can_be_let_in(server: Server, name: str) -> None:
    result = relay("login", name)

    assert (result.exit_code, "main" in result.output) == (1, True)

"""The doctor names each fault and what to do, leaves nothing behind, and the courier goes by what it found."""

from __future__ import annotations

import json
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from relay import courier, house
from relay.bitrix import address
from relay.cli import context
from relay.cli.main import main
from relay.model import Answer, PortalTrouble, Unknown
from relay.sandbox import Portal, Server, serve
from relay.settings import Secret
from relay.store import portals
from relay.store.database import Database
from tests import apps
from tests.bitrix.portal import ScriptedPortal, answer
from tests.conftest import absent
from tests.store.build import message, put

RULES = """\
version: 1
portal: {portal}
sources: {{x: {{type: json, open: true}}}}
people: {{}}
rules: []
default: drop
"""
SECRETS = (*apps.SECRETS, "sandbox-secret", "KEYKEYKEY")


class Surgery:
    """A rules file, a database, and the command."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.url = Secret(f"sqlite:///{folder}/relay.db")
        self._rules = folder / "rules.yaml"
        monkeypatch.setenv("RELAY_RULES", str(self._rules))
        monkeypatch.setenv("DATABASE_URL", self.url.reveal())

    def configure(self, portal: dict[str, Any]) -> None:
        self._rules.write_text(RULES.format(portal=json.dumps(portal)), encoding="utf-8")

    def run(self, *arguments: str) -> Result:
        result = CliRunner().invoke(main, ["doctor", *arguments])
        assert [secret for secret in SECRETS if secret in result.output] == []
        return result

    def findings(self, *arguments: str) -> dict[str, dict[str, str]]:
        """What is found, by probe."""
        return {each["probe"]: each for each in json.loads(self.run("--json", *arguments).stdout)}

    def database(self) -> Database:
        opened = Database(self.url)
        opened.upgrade()
        return opened


@pytest.fixture
def surgery(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Surgery:
    return Surgery(tmp_path, monkeypatch)


@pytest.fixture
def server() -> Iterator[Server]:
    with serve(Portal()) as running:
        yield running


def ways_in(server: Server) -> dict[str, dict[str, Any]]:
    return {
        "webhook": {"webhook": server.webhook},
        "token": {"domain": server.url, "token": server.portal.token},
        "app": apps.way_in(server),
    }


# ── A portal that is well ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("way", "switches", "replaces"),
    [
        ("webhook", {}, False),
        ("webhook", {"webhook_tags": "honour"}, True),
        ("token", {}, True),
        ("app", {}, True),
    ],
)
def test_whether_tags_replace_is_measured_and_remembered(
    surgery: Surgery, way: str, switches: dict[str, Any], replaces: bool
) -> None:
    with serve(Portal(**switches)) as server:
        surgery.configure(ways_in(server)[way])
        database = surgery.database()
        apps.let_in(database, server)
        database.close()

        found = surgery.findings()

        assert found["tags"]["mark"] == ("good" if replaces else "doubt")
        assert server.portal.notifications(1) == []  # nothing is left behind
        assert len(server.portal.commands("im.notify.personal.add")) == 2
        again = surgery.findings("--no-send")
        assert len(server.portal.commands("im.notify.personal.add")) == 2
    assert "measured before" in again["tags"]["found"]
    assert again["tags"]["mark"] == found["tags"]["mark"]
    assert {probe for probe, finding in found.items() if finding["mark"] == "good"} >= {
        "address",
        "tls",
        "credentials",
        "clock",
        "scope",
        "pace",
    }


def test_a_line_is_told_for_each_probe_and_all_being_well_ends_with_0(surgery: Surgery, server: Server) -> None:
    surgery.configure({"domain": server.url, "token": server.portal.token})

    result = surgery.run()

    assert result.exit_code == 0
    lines = result.output.splitlines()
    assert [line.split()[2] for line in lines] == ["address", "tls", "credentials", "clock", "scope", "pace", "tags"]
    assert {line[0] for line in lines} == {"✓"}


def test_expired_tokens_of_an_application_are_renewed_on_the_way(surgery: Surgery, server: Server) -> None:
    surgery.configure(apps.way_in(server))
    earlier = Database(surgery.url, clock=lambda: time.time() - apps.HOUR)
    earlier.upgrade()
    apps.let_in(earlier, server)
    earlier.close()
    server.portal.expire_token()

    assert surgery.findings()["credentials"]["mark"] == "good"
    assert server.portal.renewals == 1


# ── The table of faults ───────────────────────────────────────────────────────────────────────────────────────

Break = Callable[[Server], dict[str, Any]]
"""Breaks something and returns what the rules say of the portal."""


def switched(way: str = "webhook", **switches: Any) -> Break:
    def act(server: Server) -> dict[str, Any]:
        server.portal.configure(**switches)
        return ways_in(server)[way]

    return act


def refused(code: str, method: str = "profile", way: str = "webhook") -> Break:
    def act(server: Server) -> dict[str, Any]:
        server.portal.fail("error", code=code, method=method, times=9)
        return ways_in(server)[way]

    return act


def wrong_secret(server: Server) -> dict[str, Any]:
    return {"webhook": f"{server.url}/rest/1/KEYKEYKEY/"}


def dismissed(server: Server) -> dict[str, Any]:
    server.portal.change_person(1, active=False)
    return ways_in(server)["webhook"]


def muted(server: Server) -> dict[str, Any]:
    server.portal.change_person(1, muted=True)
    return ways_in(server)["webhook"]


def expired(server: Server) -> dict[str, Any]:
    server.portal.expire_token()
    return ways_in(server)["token"]


def moved(server: Server) -> dict[str, Any]:
    server.portal.fail("moved", location="https://elsewhere.example.com", times=9)
    return ways_in(server)["webhook"]


def not_rest(server: Server) -> dict[str, Any]:
    server.portal.fail("html", status=200, times=9)
    return ways_in(server)["webhook"]


def nobody_there(server: Server) -> dict[str, Any]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    return {"webhook": f"http://127.0.0.1:{port}/rest/1/KEYKEYKEY/"}


def no_such_name(server: Server) -> dict[str, Any]:
    return {"webhook": "https://no-such-portal.invalid/rest/1/KEYKEYKEY/"}


FAULTS: list[tuple[str, Break, str, str, str]] = [
    ("a wrong secret", wrong_secret, "credentials", "fault", "make a new incoming webhook"),
    ("a dismissed owner", dismissed, "credentials", "fault", "active employee"),
    ("no tokens yet", switched("app"), "credentials", "fault", "relay portal login"),
    ("a static token run out", expired, "credentials", "fault", "app:"),
    ("no right to notify", switched(scopes=["user"]), "scope", "fault", "tick the right im"),
    ("no right to look people up", switched(scopes=["im"]), "scope", "doubt", "user_basic"),
    ("a look-up without e-mails", switched(scopes=["im", "user_brief"]), "scope", "doubt", "user_basic"),
    ("the plan ended", switched(plan_ended=True), "plan", "fault", "paid plan"),
    ("the subscription ended", refused("PAYMENT_REQUIRED"), "plan", "fault", "paid plan"),
    ("sending not in the plan", refused("ACCESS_DENIED", "im.notify.personal.add"), "plan", "fault", "paid plan"),
    ("closed", switched(closed=True), "plan", "fault", "open the portal"),
    ("blocked", switched(overloaded=True), "plan", "fault", "support"),
    ("https wanted", switched(require_https=True), "tls", "fault", "https://"),
    ("no messenger", refused("ERROR_METHOD_NOT_FOUND"), "address", "fault", "address"),
    ("moved elsewhere", moved, "address", "fault", "present address"),
    ("a web page", not_rest, "address", "fault", "portal's own address"),
    ("nobody listens", nobody_there, "address", "fault", "check the address"),
    ("an unknown name", no_such_name, "address", "fault", "check the address"),
    ("too many requests", refused("QUERY_LIMIT_EXCEEDED"), "pace", "fault", "plan:"),
    ("an unknown error", refused("SOMETHING_NEW"), "credentials", "fault", "README"),
    ("notifications switched off", muted, "tags", "doubt", "switch them on"),
]


@pytest.mark.parametrize(("breaks", "probe", "mark", "advice"), [row[1:] for row in FAULTS], ids=[r[0] for r in FAULTS])
def test_each_fault_is_named_with_what_to_do(
    surgery: Surgery, server: Server, breaks: Break, probe: str, mark: str, advice: str
) -> None:
    surgery.configure(breaks(server))

    result = surgery.run("--json")

    found = {each["probe"]: each for each in json.loads(result.stdout)}
    assert found[probe]["mark"] == mark
    assert advice in found[probe]["advice"]
    assert result.exit_code == (1 if mark == "fault" else 0)
    assert [each for each in found.values() if each["mark"] != "good" and not each["advice"]] == []
    assert server.portal.notifications(1) == []


def test_a_certificate_that_nobody_vouches_for_is_a_fault_of_tls(surgery: Surgery, tmp_path: Path) -> None:
    openssl = shutil.which("openssl") or absent("openssl", "install it")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    order = "req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=localhost -keyout".split()  # noqa: SIM905
    subprocess.run([openssl, *order, str(key), "-out", str(certificate)], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)

    def refuse_politely(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            try:
                context.wrap_socket(connection, server_side=True).close()
            except (ssl.SSLError, OSError):
                return

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=refuse_politely, args=(listener,))
        thread.start()
        surgery.configure({"webhook": f"https://localhost:{listener.getsockname()[1]}/rest/1/KEYKEYKEY/"})
        found = surgery.findings()
        thread.join(10)

    assert list(found) == ["tls"]
    assert (found["tls"]["mark"], "certificate" in found["tls"]["found"]) == ("fault", True)


def test_plain_http_in_a_network_is_doubtful(surgery: Surgery, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(address, "_is_loopback", lambda _name: False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    surgery.configure({"webhook": server.webhook, "insecure": True})

    found = surgery.findings("--no-send")["tls"]

    assert (found["mark"], "https" in found["advice"]) == ("doubt", True)


@pytest.mark.parametrize(("away", "said"), [(-600.0, "behind"), (600.0, "ahead")])
def test_a_clock_that_is_off_is_told(surgery: Surgery, away: float, said: str) -> None:
    with serve(Portal(clock=lambda: time.time() + away)) as server:
        surgery.configure({"webhook": server.webhook})
        found = surgery.findings("--no-send")["clock"]

    assert (found["mark"], said in found["found"]) == ("doubt", True)


def test_strangers_words_are_not_repeated(surgery: Surgery) -> None:
    hostile = {"error": "<script>", "error_description": "KEYKEYKEY \x1b[31m"}
    with ScriptedPortal(answer(hostile, 400)) as portal:
        surgery.configure({"webhook": portal.url()})
        output = surgery.run().output

    assert "\x1b" not in output
    assert "<" not in output


def test_an_unknown_portal_and_bad_rules_are_errors(surgery: Surgery, server: Server) -> None:
    surgery.configure({"webhook": server.webhook})
    assert surgery.run("nope").exit_code == 1
    surgery.configure({})
    assert surgery.run().exit_code == 1


# ── What follows from it ──────────────────────────────────────────────────────────────────────────────────────


def test_the_doctors_calls_are_counted_in_the_pace_that_all_share(surgery: Surgery, server: Server) -> None:
    surgery.configure({"webhook": server.webhook, "plan": {"rate": 0.01, "burst": 50}})
    surgery.run()

    database = surgery.database()
    with database.write() as tx:
        level = portals.get(tx, "main").level
    database.close()
    assert round(level) == len(server.portal.calls())


def test_a_share_that_others_leave_us_is_told(surgery: Surgery, server: Server) -> None:
    surgery.configure({"webhook": server.webhook})
    database = surgery.database()
    with database.write() as tx:
        portals.get(tx, "main")
        portals.take_share(tx, "main", 0.25)
    database.close()

    pace = surgery.findings("--no-send")["pace"]
    assert pace["mark"] == "doubt"
    assert pace["found"].startswith("0.5 requests a second: others")


def test_a_paused_portal_that_is_well_again_goes_on_at_once(surgery: Surgery, server: Server) -> None:
    surgery.configure({"webhook": server.webhook})
    database = surgery.database()
    with database.write() as tx:
        trouble = PortalTrouble("closed", "INVALID_CREDENTIALS", "the webhook's secret is wrong")
        portals.in_trouble(tx, portals.get(tx, "main"), trouble, tx.now + 300)

    assert "goes on now" in surgery.findings()["courier"]["found"]
    with database.write() as tx:
        assert (portals.get(tx, "main").trouble, portals.get(tx, "main").not_before) == ("", 0.0)
    database.close()


def test_a_portal_that_is_ill_stays_paused(surgery: Surgery, server: Server) -> None:
    surgery.configure(wrong_secret(server))
    database = surgery.database()
    with database.write() as tx:
        trouble = PortalTrouble("closed", "INVALID_CREDENTIALS", "the webhook's secret is wrong")
        portals.in_trouble(tx, portals.get(tx, "main"), trouble, tx.now + 300)

    surgery.run()
    with database.write() as tx:
        assert portals.get(tx, "main").trouble == "closed"
    database.close()


@pytest.mark.parametrize(
    ("way", "switches", "state"),
    [
        ("webhook", {}, "held"),  # measured: no
        ("webhook", {"webhook_tags": "honour"}, "queued"),  # measured: yes, against what is assumed
        ("token", {}, "queued"),
    ],
)
def test_the_courier_repeats_what_may_be_lost_only_where_tags_were_measured_to_replace(
    surgery: Surgery, way: str, switches: dict[str, Any], state: str
) -> None:
    with serve(Portal(**switches)) as server:
        surgery.configure(ways_in(server)[way])
        surgery.run()
        _, rules = context.configured()
        database = surgery.database()
        to = house.destination(database, "main", rules.portals["main"])
        put(database, message(user_id=17))
        load = courier.claim(database, to, holder="me", lease_seconds=10)
        assert isinstance(load, courier.Load)
        lost = Answer(verdicts=(Unknown("no answer"),), trouble=PortalTrouble("down", "X", "no answer", sent=True))
        (settled,) = courier.settle(database, to, load, lost, jitter=0.0)
        to.client.close()
        database.close()

    assert settled.state == state

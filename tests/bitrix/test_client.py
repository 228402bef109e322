"""The client before real sockets that misbehave, and before redirects: what it sends, what it keeps to itself."""

from __future__ import annotations

import contextlib
import json
import logging
import re
import threading
import traceback
from pathlib import Path

import pytest
import requests
import responses

from relay.bitrix import client as client_module
from relay.bitrix.address import PortalNotTrusted, parse
from relay.bitrix.client import Client, Reply
from relay.errors import PortalUnreachable
from tests.bitrix.portal import (
    Deed,
    ScriptedPortal,
    answer,
    close_after_reading,
    cut_short,
    drip,
    flood,
    hang,
    reset_after_reading,
    reset_unread,
    zipped,
)

METHOD = "im.notify.personal.add"
KEY = "k3yk3yk3y"
QUICK = (1.0, 0.3)


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def call(portal: ScriptedPortal, **settings: object) -> Reply:
    with Client(parse(portal.url(f"/rest/1/{KEY}/")), **{"timeout": QUICK, **settings}) as client:  # type: ignore[arg-type]  # a test's shorthand
        return client.call(METHOD, {"USER_ID": 17, "MESSAGE": "привет"})


def fails(portal_url: str) -> PortalUnreachable:
    with Client(parse(portal_url), timeout=QUICK) as client, pytest.raises(PortalUnreachable) as caught:
        client.call(METHOD, {"USER_ID": 17})
    told = "".join(traceback.format_exception(caught.value))
    assert KEY not in told
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    return caught.value


# ── What is sent ──────────────────────────────────────────────────────────────────────────────────────────────


def test_a_call_is_a_post_of_json() -> None:
    with ScriptedPortal(answer({"result": 5}, x_bitrix="1")) as portal:
        reply = call(portal)

    (seen,) = portal.seen
    assert (seen.verb, seen.path) == ("POST", f"/rest/1/{KEY}/{METHOD}")
    assert seen.json == {"USER_ID": 17, "MESSAGE": "привет"}
    assert seen.headers["content-type"] == "application/json"
    assert seen.headers["accept"] == "application/json"
    assert seen.headers["accept-encoding"] == "gzip"
    assert re.fullmatch(r"bitrix24-relay/\d.*", seen.headers["user-agent"])
    assert (reply.status, json.loads(reply.body), reply.headers["x-bitrix"]) == (200, {"result": 5}, "1")


def test_a_token_goes_in_the_body_and_nowhere_else() -> None:
    with ScriptedPortal() as portal, Client(parse(portal.url("/"), "t0ken")) as client:
        client.call(METHOD, {"USER_ID": 17})

    (seen,) = portal.seen
    assert seen.path == f"/rest/{METHOD}"
    assert seen.json == {"auth": "t0ken", "USER_ID": 17}
    assert "t0ken" not in json.dumps(seen.headers)


def test_a_password_in_netrc_is_not_sent_along(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password mine\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with ScriptedPortal() as portal:
        call(portal)
        assert requests.get(portal.url(), timeout=5).status_code == 200

    ours, theirs = portal.seen
    assert "authorization" not in ours.headers
    assert "authorization" in theirs.headers  # the trap is real


def test_cookies_are_not_kept() -> None:
    cookie = answer({"result": 5}, set_cookie="PHPSESSID=x; path=/")
    with ScriptedPortal(cookie) as portal, Client(parse(portal.url())) as client:
        client.call(METHOD, {})
        client.call(METHOD, {})

    assert "cookie" not in portal.seen[1].headers


def test_lone_surrogates_do_not_stop_a_call() -> None:
    with ScriptedPortal() as portal, Client(parse(portal.url())) as client:
        client.call(METHOD, {"MESSAGE": "\ud800"})

    assert portal.seen[0].json == {"MESSAGE": "?"}


def test_a_proxy_of_the_environment_is_used_but_not_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    with ScriptedPortal(answer(b"", 502)) as proxy, ScriptedPortal() as portal:
        for name in ("HTTP_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url("/"))
        call(portal)
        with Client(parse("http://box.invalid/rest/1/KEY/", insecure=True), timeout=QUICK) as client:
            assert client.call(METHOD, {}).status == 502

    assert [len(portal.seen), len(proxy.seen)] == [1, 1]
    assert proxy.seen[0].path.startswith("http://box.invalid/")


def test_the_environment_is_looked_at_once_for_each_address(monkeypatch: pytest.MonkeyPatch) -> None:
    with ScriptedPortal(*[answer({"result": 1})] * 2) as portal, Client(parse(portal.url()), timeout=QUICK) as client:
        client.call(METHOD, {})
        monkeypatch.setattr("requests.sessions.get_environ_proxies", None)  # whoever asks it now fails
        client.call(METHOD, {})

    assert len(portal.seen) == 2


def test_a_proxy_that_is_asked_for_wins() -> None:
    with ScriptedPortal(answer({"result": 1})) as proxy, ScriptedPortal() as portal:
        call(portal, proxy=proxy.url("/"))

    assert [len(portal.seen), len(proxy.seen)] == [0, 1]


@pytest.mark.parametrize("proxy", ["http://", "socks5://127.0.0.1:1", "gopher://127.0.0.1:1", "http://127.0.0.1:1"])
def test_a_proxy_that_cannot_be_used_is_named_and_nothing_was_sent(proxy: str) -> None:
    with ScriptedPortal() as portal, pytest.raises(PortalUnreachable, match="proxy") as caught:
        call(portal, proxy=proxy)

    assert not caught.value.sent
    assert portal.seen == []


# ── Connections ───────────────────────────────────────────────────────────────────────────────────────────────


def test_one_connection_serves_many_calls() -> None:
    with ScriptedPortal() as portal, Client(parse(portal.url())) as client:
        for _ in range(3):
            client.call(METHOD, {})

    assert (len(portal.seen), portal.connections) == (3, 1)


def test_a_connection_that_was_idle_is_not_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client_module, "IDLE", -1.0)
    with ScriptedPortal() as portal, Client(parse(portal.url())) as client:
        client.call(METHOD, {})
        client.call(METHOD, {})

    assert portal.connections == 2


def test_each_thread_has_a_session_of_its_own() -> None:
    with ScriptedPortal() as portal, Client(parse(portal.url())) as client:
        threads = [threading.Thread(target=client.call, args=(METHOD, {"n": n})) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert sorted(seen.json["n"] for seen in portal.seen) == [0, 1, 2, 3]
    assert portal.connections == 4


# ── What comes back ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("status", [200, 303, 400, 401, 403, 404, 429, 500, 502, 503, 504])
def test_every_status_is_a_reply(status: int) -> None:
    with ScriptedPortal(answer(b"<html>", status)) as portal:
        reply = call(portal)

    assert (reply.status, reply.body) == (status, b"<html>")


def test_a_zipped_answer_is_unzipped() -> None:
    with ScriptedPortal(zipped({"result": 5})) as portal:
        assert json.loads(call(portal).body) == {"result": 5}


def test_an_empty_answer_is_empty() -> None:
    with ScriptedPortal(answer(b"")) as portal:
        assert call(portal).body == b""


# ── No answer: was it sent? ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("deed", "why"),
    [
        (hang, "does not answer in time"),
        (reset_after_reading, "connection broke"),
        (close_after_reading, "connection broke"),
        (cut_short(), "connection broke"),
        (answer(b"not gzip", content_encoding="gzip"), "decompressed"),
        (reset_unread, "connection broke"),  # from here nobody can tell that it was not read
    ],
    ids=["hang", "reset", "close", "cut short", "bad gzip", "reset unread"],
)
def test_whatever_happens_after_sending_may_have_been_carried_out(deed: Deed, why: str) -> None:
    with ScriptedPortal(deed) as portal:
        fault = fails(portal.url(f"/rest/1/{KEY}/"))

    assert fault.sent
    assert why in str(fault)


@pytest.mark.parametrize("deed", [drip, flood])
def test_an_answer_without_end_is_ended(deed: Deed) -> None:
    with ScriptedPortal(deed) as portal:
        assert fails(portal.url(f"/rest/1/{KEY}/")).sent


def test_a_closed_port_means_that_nothing_was_sent() -> None:
    with ScriptedPortal() as portal:
        url = portal.url(f"/rest/1/{KEY}/")
    fault = fails(url)

    assert not fault.sent
    assert str(fault) == f"127.0.0.1:{portal.port}: does not take connections"


def test_a_name_that_is_not_known_means_that_nothing_was_sent() -> None:
    fault = fails(f"https://portal.invalid/rest/1/{KEY}/")

    assert not fault.sent
    assert "DNS" in str(fault)


def test_a_name_that_is_none_means_that_nothing_was_sent() -> None:
    assert not fails(f"https://{'ы' * 70}.invalid/rest/1/{KEY}/").sent


def test_a_server_without_tls_means_that_nothing_was_sent() -> None:
    with ScriptedPortal(close_after_reading) as portal:
        fault = fails(f"https://127.0.0.1:{portal.port}/rest/1/{KEY}/")

    assert not fault.sent
    assert portal.seen == []


def test_a_reset_during_the_tls_handshake_means_that_nothing_was_sent() -> None:
    with ScriptedPortal(reset_unread) as portal:
        assert not fails(f"https://127.0.0.1:{portal.port}/rest/1/{KEY}/").sent


@pytest.mark.parametrize(
    "raised",
    [
        requests.exceptions.SSLError(f"/rest/1/{KEY}/"),
        requests.exceptions.ConnectionError(f"/rest/1/{KEY}/"),
        requests.exceptions.TooManyRedirects(f"/rest/1/{KEY}/"),
        OSError(f"/rest/1/{KEY}/"),
    ],
)
@responses.activate
def test_no_exceptions_text_gets_out(raised: Exception) -> None:
    responses.post(f"https://p.bitrix24.ru/rest/1/{KEY}/{METHOD}", body=raised)

    fails(f"https://p.bitrix24.ru/rest/1/{KEY}/")


@pytest.mark.parametrize("deed", [answer({"result": 1}), answer(b"", 302, location=f"/rest/1/{KEY}/x"), hang])
def test_the_librarys_own_log_does_not_tell_the_address(deed: Deed, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG), ScriptedPortal(deed) as portal, contextlib.suppress(PortalUnreachable):
        call(portal)

    assert "Starting new HTTP connection" in caplog.text  # it does log
    assert KEY not in caplog.text


# ── Redirects ─────────────────────────────────────────────────────────────────────────────────────────────────

OLD, NEW = (f"https://{name}.bitrix24.ru/rest/1/{KEY}/" for name in ("old", "new"))


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@responses.activate
def test_a_renamed_portal_is_followed_once_as_post_to_the_same_path(status: int) -> None:
    responses.post(OLD + METHOD, status=status, headers={"Location": NEW + METHOD}, body="<html>")
    posted: list[object] = []

    def answered(request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        posted.append(json.loads(request.body or b""))
        return 200, {}, '{"result": 5}'

    responses.add_callback(responses.POST, NEW + METHOD, callback=answered)
    with Client(parse(OLD)) as client:
        first, second = client.call(METHOD, {"USER_ID": 1}), client.call(METHOD, {"USER_ID": 2})

    assert posted == [{"USER_ID": 1}, {"USER_ID": 2}]
    assert (first.moved_to, second.moved_to) == ("new.bitrix24.ru", "new.bitrix24.ru")
    assert [request.request.url for request in responses.calls].count(OLD + METHOD) == 1  # it is remembered


@responses.activate
def test_a_second_redirect_is_not_followed() -> None:
    responses.post(OLD + METHOD, status=302, headers={"Location": NEW + METHOD})
    responses.post(NEW + METHOD, status=302, headers={"Location": OLD + METHOD})
    with Client(parse(OLD)) as client, pytest.raises(PortalNotTrusted, match="once more") as refusal:
        client.call(METHOD, {})

    assert not refusal.value.sent
    assert len(responses.calls) == 2


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_another_host_never_sees_the_secret(status: int) -> None:
    with ScriptedPortal() as elsewhere:
        location = f"http://localhost:{elsewhere.port}/rest/1/{KEY}/{METHOD}"
        with ScriptedPortal(answer(b"", status, location=location)) as portal:
            fault = fails(portal.url(f"/rest/1/{KEY}/"))

    assert elsewhere.connections == 0
    assert isinstance(fault, PortalNotTrusted)
    assert "localhost" in str(fault)
    assert not fault.sent

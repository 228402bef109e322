"""The function for scripts: what OpenIntegrations does with the same six arguments, minus its surprises."""

from __future__ import annotations

import json
from typing import Any

import pytest
import responses

import relay.bitrix as public
from relay.bitrix import create_personal_notification, create_system_notification, delete_notification, oauth
from relay.bitrix.address import BadAddress
from relay.bitrix.blocks import BadBlocks, file_block, image_block
from relay.bitrix.notify import BadNotification, NotAnAnswer
from relay.errors import PortalUnreachable
from tests.bitrix.portal import (
    Deed,
    ScriptedPortal,
    answer,
    close_after_reading,
    reset_after_reading,
    reset_unread,
    zipped,
)

KEY, TOKEN = "k3yk3yk3y", "t0kent0ken"
TIME = {"start": 1775048400.41, "finish": 1775048400.47, "date_start": "2026-04-01T16:00:00+03:00", "operating": 0}
DONE = {"result": 98012, "time": TIME}
LIMIT = answer({"error": "QUERY_LIMIT_EXCEEDED", "error_description": "Too many requests"}, 503)


class Naps(list[float]):
    """A sleep that only writes down."""

    def __call__(self, seconds: float) -> None:
        self.append(seconds)


def send(portal: ScriptedPortal, **options: Any) -> dict[str, Any]:
    return create_personal_notification(portal.url(f"/rest/1/{KEY}/"), 17, "hello", sleep=Naps(), **options)


# ── Two golden requests ───────────────────────────────────────────────────────────────────────────────────────


def test_a_webhook_with_blocks_sends_what_openintegrations_sends() -> None:
    blocks = [image_block("Picture", "https://x/y.png"), file_block("Document", "https://x/y.docx")]
    with ScriptedPortal(answer(DONE)) as portal:
        came = create_personal_notification(portal.url(f"/rest/1/{KEY}"), "1", "Текст сообщения", "", blocks)

    (seen,) = portal.seen
    assert came == DONE
    assert (seen.verb, seen.path) == ("POST", f"/rest/1/{KEY}/im.notify.personal.add")
    assert seen.json == {"USER_ID": 1, "MESSAGE": "Текст сообщения", "ATTACH": blocks}


def test_a_domain_with_token_and_tag_sends_what_openintegrations_sends() -> None:
    with ScriptedPortal(answer(DONE)) as portal:
        create_personal_notification(portal.url(""), 10, "Текст", "Новый", "", TOKEN)

    (seen,) = portal.seen
    assert seen.path == "/rest/im.notify.personal.add"
    assert seen.json == {"auth": TOKEN, "USER_ID": 10, "MESSAGE": "Текст", "TAG": "Новый"}
    assert list(seen.json) == ["auth", "USER_ID", "MESSAGE", "TAG"]


def test_the_system_call_differs_by_its_method_alone() -> None:
    with ScriptedPortal(answer(DONE)) as portal:
        create_system_notification(portal.url(), 17, "x", " ", None, "  ")

    assert portal.seen[0].path.endswith("/im.notify.system.add")
    assert portal.seen[0].json == {"USER_ID": 17, "MESSAGE": "x"}


def test_a_deletion_names_the_notification() -> None:
    with ScriptedPortal(answer({"result": False, "time": TIME})) as portal:
        assert delete_notification(portal.url(), " 98012 ") == {"result": False, "time": TIME}

    assert portal.seen[0].path.endswith("/im.notify.delete")
    assert portal.seen[0].json == {"ID": 98012}


def test_a_whole_attachment_keeps_its_colour() -> None:
    whole = {"COLOR_TOKEN": "alert", "BLOCKS": [{"MESSAGE": "x"}]}
    with ScriptedPortal(answer(DONE)) as portal:
        create_personal_notification(portal.url(), 17, "x", attachments=whole)

    assert portal.seen[0].json["ATTACH"] == whole


def test_any_other_method_can_be_called() -> None:
    with ScriptedPortal(answer({"result": True})) as portal:
        assert public.call_method(portal.url(), "im.notify.read", {"ID": 5}) == {"result": True}
        assert public.server_time(portal.url("/"), TOKEN) == {"result": True}

    assert [seen.path.rpartition("/")[2] for seen in portal.seen] == ["im.notify.read", "server.time"]


def test_openintegrations_names_are_the_same_functions() -> None:
    assert public.СоздатьПерсональноеУведомление is public.CreatePersonalNotification is create_personal_notification
    assert public.СоздатьСистемноеУведомление is public.CreateSystemNotification is create_system_notification
    assert public.УдалитьУведомление is public.DeleteNotification is delete_notification
    assert public.ПолучитьБлокКартинки is public.GetPictureBlock is image_block
    assert public.ПолучитьБлокФайла is public.GetFileBlock is file_block
    assert all(hasattr(public, name) for name in public.__all__)


# ── Refused before anything is sent ───────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("user", [0, -1, "0", "-1", "", "ivan", "1.5", 1.0, True, None, "1" * 30, "１７", [17]])
def test_a_recipient_is_a_number_above_zero(user: Any) -> None:
    with ScriptedPortal() as portal, pytest.raises(BadNotification, match="number above 0"):
        create_personal_notification(portal.url(), user, "x")

    assert portal.connections == 0


@pytest.mark.parametrize("text", ["", "  \n\t", None, 5])
def test_a_notification_needs_a_text(text: Any) -> None:
    with ScriptedPortal() as portal, pytest.raises(BadNotification, match="text is empty"):
        create_personal_notification(portal.url(), 17, text)

    assert portal.connections == 0


@pytest.mark.parametrize("blocks", ["[{]", "no such file", "https://x/blocks.json"])
def test_bad_blocks_are_refused_here(blocks: str) -> None:
    with ScriptedPortal() as portal, pytest.raises(BadBlocks):
        create_personal_notification(portal.url(), 17, "x", attachments=blocks)

    assert portal.connections == 0


def test_webhook_and_token_do_not_go_together() -> None:
    with pytest.raises(BadAddress, match="without a token"):
        create_personal_notification(f"https://p.bitrix24.ru/rest/1/{KEY}/", 17, "x", token=TOKEN)


# ── Answers are data ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("status", "code"),
    [(200, "wrong_client"), (400, "USER_ID_EMPTY"), (401, "INVALID_CREDENTIALS"), (403, "X"), (500, "ERROR_CORE")],
)
def test_an_error_of_the_portal_comes_back_unchanged(status: int, code: str) -> None:
    content = {"error": code, "error_description": "why <b>"}
    with ScriptedPortal(answer(content, status)) as portal:
        assert send(portal) == content

    assert len(portal.seen) == 1


def test_a_zipped_answer_is_read() -> None:
    with ScriptedPortal(zipped(DONE)) as portal:
        assert send(portal) == DONE


def test_the_full_answer_has_status_and_headers() -> None:
    with ScriptedPortal(answer(DONE, 200, x_a="b")) as portal:
        came = send(portal, full=True)

    assert (came["status"], came["headers"]["x-a"], came["body"]) == (200, "b", DONE)


@pytest.mark.parametrize(
    ("status", "body"), [(200, b"<html>"), (502, b"<html>"), (404, b""), (200, b"[1]"), (200, b"{"), (200, b"NaN")]
)
def test_what_is_no_answer_is_raised_with_a_look_at_it(status: int, body: bytes) -> None:
    with ScriptedPortal(answer(body, status)) as portal, pytest.raises(NotAnAnswer) as caught:
        send(portal)

    assert (caught.value.status, caught.value.body, caught.value.sent) == (status, body.decode(), True)
    assert str(status) in str(caught.value)
    assert len(portal.seen) == 1


def test_a_page_that_repeats_its_address_is_shown_without_the_secret() -> None:
    page = f"<h1>/rest/1/{KEY}/x was not found</h1>".encode()
    with ScriptedPortal(answer(page, 404)) as portal:
        with pytest.raises(NotAnAnswer) as caught:
            send(portal)
        full = send(portal, full=True)

    assert KEY not in caught.value.body
    assert full["body"] == "<h1>/rest/1/***/x was not found</h1>"


# ── Repeats ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_rate_refusal_is_repeated_after_growing_waits() -> None:
    naps = Naps()
    with ScriptedPortal(LIMIT, LIMIT, answer(DONE)) as portal:
        assert create_personal_notification(portal.url(), 17, "x", sleep=naps) == DONE

    assert len(portal.seen) == 3
    assert 0.5 <= naps[0] <= 1 <= naps[1] <= 2


def test_repeats_are_bounded_and_the_last_answer_is_returned() -> None:
    with ScriptedPortal(LIMIT) as portal:
        assert send(portal, retries=2)["error"] == "QUERY_LIMIT_EXCEEDED"

    assert len(portal.seen) == 3


def test_without_retries_there_is_one_request() -> None:
    with ScriptedPortal(LIMIT) as portal:
        send(portal, retries=0)

    assert len(portal.seen) == 1


@pytest.mark.parametrize(("retry_after", "nap"), [("7", 7.0), ("3600", 60.0)])
def test_a_wish_for_a_longer_wait_is_heeded_within_reason(retry_after: str, nap: float) -> None:
    naps = Naps()
    with ScriptedPortal(answer(b"", 429, retry_after=retry_after), answer(DONE)) as portal:
        create_personal_notification(portal.url(), 17, "x", sleep=naps)

    assert naps == [nap]


@pytest.mark.parametrize("retry_after", ["soon", "-1", "", "Wed, 21 Oct 2026 07:28:00 GMT", "²"])
def test_an_odd_wish_is_not(retry_after: str) -> None:
    naps = Naps()
    spelled = retry_after.encode().decode("latin-1")
    with ScriptedPortal(answer(b"", 429, retry_after=spelled), answer(DONE)) as portal:
        create_personal_notification(portal.url(), 17, "x", sleep=naps)

    assert naps[0] <= 1


@pytest.mark.parametrize("deed", [reset_after_reading, close_after_reading, reset_unread, answer(b"<html>", 502)])
def test_what_may_have_been_carried_out_is_never_repeated(deed: Deed) -> None:
    with ScriptedPortal(deed) as portal, pytest.raises(PortalUnreachable) as caught:
        send(portal)

    assert caught.value.sent
    assert portal.connections == 1


def test_a_refused_connection_is_repeated_and_then_told() -> None:
    naps = Naps()
    with ScriptedPortal() as portal:
        url = portal.url(f"/rest/1/{KEY}/")
    with pytest.raises(PortalUnreachable) as caught:
        create_personal_notification(url, 17, "x", sleep=naps, retries=2)

    assert not caught.value.sent
    assert len(naps) == 2
    assert KEY not in str(caught.value)


def test_a_redirect_to_a_stranger_is_not_repeated() -> None:
    naps = Naps()
    with ScriptedPortal(answer(b"", 302, location="https://evil.ru/")) as portal, pytest.raises(PortalUnreachable):
        create_personal_notification(portal.url(), 17, "x", sleep=naps)

    assert naps == []


# ── Blocks from a web address, on request ─────────────────────────────────────────────────────────────────────


def test_blocks_are_fetched_on_request() -> None:
    with ScriptedPortal(answer([{"MESSAGE": "x"}])) as web, ScriptedPortal(answer(DONE)) as portal:
        create_personal_notification(portal.url(), 17, "x", attachments=web.url("/blocks.json"), fetch=True)

    assert [(seen.verb, seen.path) for seen in web.seen] == [("GET", "/blocks.json")]
    assert portal.seen[0].json["ATTACH"] == [{"MESSAGE": "x"}]


def test_blocks_that_cannot_be_fetched_stop_the_notification() -> None:
    with ScriptedPortal(answer(b"", 404)) as web, ScriptedPortal() as portal, pytest.raises(BadBlocks, match="404"):
        create_personal_notification(portal.url(), 17, "x", attachments=web.url("/blocks.json"), fetch=True)

    assert portal.connections == 0


# ── OAuth ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("domain", ["p.bitrix24.ru", "https://p.bitrix24.ru/", "HTTPS://p.bitrix24.ru/rest/"])
def test_the_link_to_allow_an_application_survives_a_scheme(domain: str) -> None:
    assert oauth.authorization_link(domain, "local.1&2") == (
        "https://p.bitrix24.ru/oauth/authorize/?client_id=local.1%262"
    )
    assert oauth.authorization_link(domain, "a", state="s t").endswith("?client_id=a&state=s+t")


def test_tokens_are_asked_for_as_the_documentation_says() -> None:
    server = "https://oauth.bitrix.info/oauth/token/"
    with responses.RequestsMock() as mock:
        mock.get(server, json={"access_token": "a"})
        assert oauth.exchange_code("id", "s3cret", "c0de") == {"access_token": "a"}
        assert oauth.refresh_tokens("id", "s3cret", "refr3sh") == {"access_token": "a"}
        first, second = (dict(call.request.params) for call in mock.calls)  # type: ignore[attr-defined]  # responses adds it

    assert first == {"grant_type": "authorization_code", "code": "c0de", "client_id": "id", "client_secret": "s3cret"}
    assert second == {
        "grant_type": "refresh_token",
        "refresh_token": "refr3sh",
        "client_id": "id",
        "client_secret": "s3cret",
    }


def test_a_token_server_that_answers_nonsense_or_nothing_is_told_without_the_secrets() -> None:
    with responses.RequestsMock() as mock:
        mock.get("https://oauth.bitrix24.tech/oauth/token/", body="<p>s3cret c0de</p>", status=500)
        with pytest.raises(NotAnAnswer) as caught:
            oauth.exchange_code("id", "s3cret", "c0de", server="oauth.bitrix24.tech")
    with pytest.raises(PortalUnreachable) as silent:
        oauth.exchange_code("id", "s3cret", "c0de", server="oauth.invalid", retries=0)

    assert caught.value.body == "<p>*** ***</p>"
    assert "s3cret" not in str(silent.value)
    assert not silent.value.sent


def test_an_error_of_the_token_server_comes_back_unchanged() -> None:
    content = {"error": "invalid_grant", "error_description": "Invalid code"}
    with responses.RequestsMock() as mock:
        mock.get("https://oauth.bitrix.info/oauth/token/", body=json.dumps(content), status=400)
        assert oauth.exchange_code("id", "s3cret", "c0de") == content

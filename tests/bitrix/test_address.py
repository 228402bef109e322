"""An address as people paste it: every tolerant form is made exact, every other is refused without being repeated."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.bitrix import address
from relay.bitrix.address import BadAddress, PortalNotTrusted, moved, parse
from relay.bitrix.options import PortalOptions

METHOD = "im.notify.personal.add"
KEY = "k3yk3yk3y"
TOKEN = "t0kent0ken"


@pytest.mark.parametrize(
    ("pasted", "target"),
    [
        ("https://p.bitrix24.ru/rest/1/KEY", "https://p.bitrix24.ru/rest/1/KEY/"),
        ("https://p.bitrix24.ru/rest/1/KEY/", "https://p.bitrix24.ru/rest/1/KEY/"),
        ("p.bitrix24.ru/rest/1/KEY", "https://p.bitrix24.ru/rest/1/KEY/"),
        ("  https://p.bitrix24.ru/rest/1/KEY/ \n", "https://p.bitrix24.ru/rest/1/KEY/"),
        ("HTTPS://P.Bitrix24.RU/rest/1/KEY", "https://p.bitrix24.ru/rest/1/KEY/"),
        ("https://p.bitrix24.ru//rest/1/KEY//", "https://p.bitrix24.ru/rest/1/KEY/"),
        ("https://www.p.ru/rest/1/KEY", "https://www.p.ru/rest/1/KEY/"),
        ("https://box.local:8443/rest/1/KEY/", "https://box.local:8443/rest/1/KEY/"),
        ("https://box.local:443/rest/1/KEY/", "https://box.local/rest/1/KEY/"),
        ("https://p.bitrix24.ru/rest/1/KEY/profile.json", "https://p.bitrix24.ru/rest/1/KEY/"),
        ("https://p.bitrix24.ru/rest/1/KEY/profile", "https://p.bitrix24.ru/rest/1/KEY/"),
        (f"https://p.bitrix24.ru/rest/1/KEY/{METHOD}.json", "https://p.bitrix24.ru/rest/1/KEY/"),
        ("https://p.bitrix24.ru/rest/1/KEY/?x=1", "https://p.bitrix24.ru/rest/1/KEY/"),
        ("https://p.bitrix24.ru/rest/1/KEY#top", "https://p.bitrix24.ru/rest/1/KEY/"),
        ("https://p.bitrix24.ru/rest/api/1/KEY/", "https://p.bitrix24.ru/rest/1/KEY/"),
        ("https://proxy.local/b24/rest/1/KEY/", "https://proxy.local/b24/rest/1/KEY/"),
        ("https://p.bitrix24.ru/rest/ivan/KEY/", "https://p.bitrix24.ru/rest/ivan/KEY/"),
        ("https://портал.рф/rest/1/KEY/", "https://портал.рф/rest/1/KEY/"),
        ("http://127.0.0.1:8070/rest/1/KEY/", "http://127.0.0.1:8070/rest/1/KEY/"),
        ("http://127.9.9.9/rest/1/KEY/", "http://127.9.9.9/rest/1/KEY/"),
        ("http://[::1]:8070/rest/1/KEY/", "http://[::1]:8070/rest/1/KEY/"),
        ("http://localhost/rest/1/KEY/", "http://localhost/rest/1/KEY/"),
    ],
)
def test_a_webhook_is_understood_however_it_is_pasted(pasted: str, target: str) -> None:
    portal = parse(pasted)

    assert portal.base.reveal() == target
    assert portal.method_url(METHOD).reveal() == target + METHOD
    assert not portal.token


@pytest.mark.parametrize(
    ("pasted", "target"),
    [
        ("p.bitrix24.ru", "https://p.bitrix24.ru/rest/"),
        ("p.bitrix24.ru/rest", "https://p.bitrix24.ru/rest/"),
        ("https://p.bitrix24.ru/rest/", "https://p.bitrix24.ru/rest/"),
        ("https://p.bitrix24.ru/", "https://p.bitrix24.ru/rest/"),
        (" p.bitrix24.ru ", "https://p.bitrix24.ru/rest/"),
        ("portal.forest", "https://portal.forest/rest/"),
        ("p.bitrix24.ru:8443", "https://p.bitrix24.ru:8443/rest/"),
        (f"p.bitrix24.ru/rest/{METHOD}.json", "https://p.bitrix24.ru/rest/"),
        ("http://localhost:8070", "http://localhost:8070/rest/"),
    ],
)
def test_with_a_token_the_domain_is_enough(pasted: str, target: str) -> None:
    portal = parse(pasted, TOKEN)

    assert portal.base.reveal() == target
    assert portal.token.reveal() == TOKEN


@pytest.mark.parametrize(
    ("pasted", "token", "remedy"),
    [
        ("", "", "empty"),
        ("p.bitrix24.ru", "", "needs a token"),
        ("https://p.bitrix24.ru/rest/", "", "needs a token"),
        (f"https://p.bitrix24.ru/rest/1/{KEY}/", TOKEN, "without a token"),
        ("https://p.bitrix24.ru/rest/1/", TOKEN, "its domain"),
        ("https://p.bitrix24.ru/rest/1/", "", "no secret in it"),
        ("https://p.bitrix24.ru/rest/1/profile.json", "", "no secret in it"),
        (f"https://p.bitrix24.ru/rest/1/{KEY}/more/{METHOD}", "", "more parts"),
        (f"https://p.bitrix24.ru/rest/1/{KEY}/more", "", "more parts"),
        ("https://p.bitrix24.ru/company/personal/user/1/", "", "not a portal's REST"),
        ("https://p.bitrix24.ru/company/", TOKEN, "not a portal's REST"),
        (f"http://p.bitrix24.ru/rest/1/{KEY}/", "", "use https://"),
        (f"http://localhost.evil.ru/rest/1/{KEY}/", "", "use https://"),
        (f"http://127.0.0.1.evil.ru/rest/1/{KEY}/", "", "use https://"),
        (f"ftp://p.bitrix24.ru/rest/1/{KEY}/", "", "not https://"),
        (f"https://user:{KEY}@p.bitrix24.ru/rest/1/{KEY}/", "", "user name or password"),
        (f"https://evil.ru\\@p.bitrix24.ru/rest/1/{KEY}/", "", "copy it again"),
        (f"https://p.bitrix24.ru/rest/1/{KEY} {KEY}/", "", "copy it again"),
        (f"https://p.bitrix24.ru/re\nst/1/{KEY}/", "", "copy it again"),
        (f"https://p.bitrix24.ru/rest/1/{KEY}/../2/", "", "signs that it cannot have"),
        (f"https://p.bitrix24.ru:99999/rest/1/{KEY}/", "", "port"),
        (f"https://p.bitrix24.ru:x{KEY}/rest/1/{KEY}/", "", "port"),
        (f"https:///rest/1/{KEY}/", "", "no proper host"),
        (f"https://[::1/rest/1/{KEY}/", "", "cannot be read"),
        (KEY, "", "needs a token"),
        ("p.bitrix24.ru", f"{TOKEN} {TOKEN}", "the token"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_a_remedy_and_without_the_secret(
    pasted: str, token: str, remedy: str
) -> None:
    with pytest.raises(BadAddress) as refusal:
        parse(pasted, token)

    assert remedy in str(refusal.value)
    assert KEY not in str(refusal.value)
    assert TOKEN not in str(refusal.value)


def test_plain_http_beyond_this_machine_is_for_those_who_insist() -> None:
    assert parse("http://box.local:8080/rest/1/KEY", insecure=True).base.reveal() == "http://box.local:8080/rest/1/KEY/"


def test_what_is_shown_of_an_address_holds_no_secret() -> None:
    webhook, application = parse(f"p.bitrix24.ru/rest/1/{KEY}/"), parse("p.bitrix24.ru", TOKEN)

    assert webhook.shown == "https://p.bitrix24.ru/rest/1/***/"
    assert webhook.host == "p.bitrix24.ru"
    assert KEY not in f"{webhook!r} {webhook} {webhook.method_url(METHOD)!r}"
    assert TOKEN not in f"{application!r} {application}"


def test_a_secret_in_the_place_of_the_owner_is_not_shown_either() -> None:
    assert KEY not in parse(f"p.bitrix24.ru/rest/{KEY}/1/").shown


def test_others_words_are_shown_without_the_secret() -> None:
    assert parse(f"p.bitrix24.ru/rest/1/{KEY}/").hide(f"/rest/1/{KEY}/x not found") == "/rest/1/***/x not found"
    assert parse("p.bitrix24.ru", TOKEN).hide(f"auth={TOKEN}") == "auth=***"


@pytest.mark.parametrize("method", ["", "../x", "a b", "im/notify", "profile?x", "profile#", "имя"])
def test_a_method_cannot_lead_elsewhere(method: str) -> None:
    with pytest.raises(ValueError, match="method"):
        parse("p.bitrix24.ru/rest/1/KEY/").method_url(method)


@given(st.text())
def test_any_text_is_an_address_or_refused(pasted: str) -> None:
    try:
        base = parse(pasted).base.reveal()
    except BadAddress:
        return

    assert base.startswith("https://") or "//127." in base or "//localhost" in base or "//[" in base
    assert base.endswith("/")


def test_the_rules_file_says_it_either_way() -> None:
    by_webhook = PortalOptions.model_validate({"webhook": "https://p.bitrix24.ru/rest/1/KEY/"})
    by_token = PortalOptions.model_validate({"domain": "p.bitrix24.ru", "token": TOKEN})

    assert address.from_options(by_webhook) == parse("p.bitrix24.ru/rest/1/KEY/")
    assert address.from_options(by_token) == parse("p.bitrix24.ru", TOKEN)


# ── A renamed portal ──────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("pasted", "location", "target"),
    [
        ("old.bitrix24.ru", "https://new.bitrix24.ru", "https://new.bitrix24.ru"),
        ("old.bitrix24.com.br", "https://new.bitrix24.com.br", "https://new.bitrix24.com.br"),
        ("http://localhost", "https://localhost", "https://localhost"),
    ],
)
def test_a_renamed_portal_of_the_same_cloud_is_followed(pasted: str, location: str, target: str) -> None:
    portal = moved(parse(f"{pasted}/rest/1/KEY/"), METHOD, f"{location}/rest/1/KEY/{METHOD}")

    assert portal.base.reveal() == f"{target}/rest/1/KEY/"
    assert portal.host == target.removeprefix("https://")
    assert portal.shown == f"{target}/rest/1/***/"


@pytest.mark.parametrize(
    "location",
    [
        "https://evil.ru/rest/1/KEY/im.notify.personal.add",
        "https://new.bitrix24.com/rest/1/KEY/im.notify.personal.add",  # another cloud than .ru
        "https://new.bitrix24.ru.evil.com/rest/1/KEY/im.notify.personal.add",
        "https://evilbitrix24.ru/rest/1/KEY/im.notify.personal.add",
        "https://a.b.bitrix24.ru/rest/1/KEY/im.notify.personal.add",
        "https://new.bitrix24.ru:8443/rest/1/KEY/im.notify.personal.add",
        "https://new.bitrix24.ru@evil.ru/rest/1/KEY/im.notify.personal.add",
        "http://new.bitrix24.ru/rest/1/KEY/im.notify.personal.add",
        "//evil.ru/rest/1/KEY/im.notify.personal.add",
        "https://www.bitrix24.ru/",
        "https://old.bitrix24.ru/rest/1/KEY/im.notify.personal.add",
        "/auth/",
        "",
        "https://[/",
        "ftp://new.bitrix24.ru/rest/1/KEY/im.notify.personal.add",
    ],
)
def test_a_redirect_to_elsewhere_never_gets_the_secret(location: str) -> None:
    with pytest.raises(PortalNotTrusted) as refusal:
        moved(parse("old.bitrix24.ru/rest/1/KEY/"), METHOD, location)

    assert not refusal.value.sent
    assert "KEY" not in str(refusal.value)

"""The ways a sender proves itself."""

from __future__ import annotations

import base64
from collections.abc import Callable

import pytest

from relay.errors import Unauthorized
from relay.settings import Secret
from relay.sources import auth
from relay.sources.options import Basic
from relay.sources.proof import Algorithm
from tests.sources.posts import posted

NEW, OLD = Secret("new-secret"), Secret("old-secret")


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


# ── HMAC ──────────────────────────────────────────────────────────────────────────────────────────────────────

# Published: GitHub docs, «Securing your webhooks»; RFC 4231 §4.3; grafana/alerting (recomputed with `openssl dgst`).
VECTORS = [
    (
        "It's a Secret to Everybody",
        b"Hello, World!",
        "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
    ),
    ("Jefe", b"what do ya want for nothing?", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
    ("secret", b"test message", "3bcebf43c85d20bba6e3b6ba278af1d2ba3ab0d57de271b0ad30b833e851c5a6"),
    ("secret", b"0:test message", "ac18a483a582b60a883e974541afe25aa1026136163e94665649743324183ef1"),
]
MESSAGE, GOOD = VECTORS[2][1:]


@pytest.mark.parametrize(("secret", "message", "digest"), VECTORS)
def test_published_signatures_are_made_and_accepted(secret: str, message: bytes, digest: str) -> None:
    assert auth.hex_digest(Secret(secret), message) == digest
    auth.check_hmac([Secret(secret)], message, digest, header="X-Signature")


# RFC 2202 §3 and RFC 4231 §4.3, test case 2 of each: the same key and message by other hashes.
OTHER_HASHES: list[tuple[Algorithm, str]] = [
    ("sha1", "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
    ("sha256", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
    ("sha384", "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649"),
    (
        "sha512",
        "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
    ),
]


@pytest.mark.parametrize(("algorithm", "published"), OTHER_HASHES)
def test_published_signatures_of_every_hash_are_accepted_in_both_encodings(
    algorithm: Algorithm, published: str
) -> None:
    message, base64_text = b"what do ya want for nothing?", base64.b64encode(bytes.fromhex(published)).decode()

    auth.check_hmac([Secret("Jefe")], message, published, header="X", algorithm=algorithm)
    auth.check_hmac([Secret("Jefe")], message, base64_text, header="X", algorithm=algorithm, encoding="base64")
    for wrong in (base64_text.rstrip("="), base64_text.lower(), published):
        if wrong != base64_text:
            with pytest.raises(Unauthorized):
                auth.check_hmac([Secret("Jefe")], message, wrong, header="X", algorithm=algorithm, encoding="base64")


@pytest.mark.parametrize(
    "given",
    ["", GOOD[:-1], GOOD[:8], GOOD + "0", GOOD.upper(), "sha256=" + GOOD, "0" * 64, "пусто", "\udcff", " " + GOOD],
)
def test_a_signature_that_is_not_exactly_right_is_refused(given: str) -> None:
    with pytest.raises(Unauthorized, match="X-Signature"):
        auth.check_hmac([Secret("secret")], MESSAGE, given, header="X-Signature")


def test_a_signature_of_another_body_is_refused() -> None:
    with pytest.raises(Unauthorized):
        auth.check_hmac([Secret("secret")], MESSAGE + b" ", GOOD, header="X-Signature")


@pytest.mark.parametrize("secret", [NEW, OLD])
def test_while_a_secret_is_changed_both_sign(secret: Secret) -> None:
    auth.check_hmac([NEW, OLD], b"body", auth.hex_digest(secret, b"body"), header="X-Signature")


def test_a_sender_that_does_not_sign_is_told_so() -> None:
    with pytest.raises(Unauthorized, match="X-Signature is missing or empty"):
        auth.check_hmac([Secret("secret")], MESSAGE, "", header="X-Signature")


def test_where_no_secret_is_configured_no_signature_is_right() -> None:
    for digest in ("", auth.hex_digest(Secret(""), b"body")):
        with pytest.raises(Unauthorized):
            auth.check_hmac([], b"body", digest, header="X-Signature")


# ── Bearer ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("given", ["Bearer new-secret", "bearer old-secret", "BEARER  new-secret "])
def test_a_bearer_token_is_accepted_in_any_spelling_of_the_scheme(given: str) -> None:
    auth.check_bearer([NEW, OLD], posted(b"", {"authorization": given}))


@pytest.mark.parametrize(
    "given",
    ["", "Bearer", "Bearer ", "Bearer new-secre", "Bearer new-secret2", "Bearer NEW-SECRET", "new-secret", "Basic x"],
)
def test_a_wrong_empty_or_cut_bearer_token_is_refused(given: str) -> None:
    with pytest.raises(Unauthorized):
        auth.check_bearer([NEW, OLD], posted(b"", {"authorization": given}))


def test_a_missing_authorization_header_is_refused() -> None:
    with pytest.raises(Unauthorized, match="Bearer"):
        auth.check_bearer([NEW], posted(b""))
    with pytest.raises(Unauthorized, match="Basic"):
        auth.check_basic(Basic(username="am", password=(NEW,)), posted(b""))


def test_a_scheme_of_ones_own_is_the_only_one_accepted() -> None:
    auth.check_bearer([NEW], posted(b"", {"authorization": "Token new-secret"}), scheme="Token")
    with pytest.raises(Unauthorized, match="Token"):
        auth.check_bearer([NEW], posted(b"", {"authorization": "Bearer new-secret"}), scheme="Token")


# ── Basic ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("password", ["plain", "with:colon", "пароль-ключ", "日本", "space inside", "=" * 9])
def test_basic_passwords_may_hold_colons_and_any_letters(password: str) -> None:
    option = Basic(username="relay", password=(Secret(password),))

    auth.check_basic(option, posted(b"", {"authorization": basic(f"relay:{password}")}))
    auth.check_basic(option, posted(b"", {"authorization": auth.basic_header(option)}))


def test_the_header_is_that_of_the_published_example() -> None:
    option = Basic(username="Aladdin", password=(Secret("open sesame"),))

    assert auth.basic_header(option) == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="  # RFC 7617 §2


@pytest.mark.parametrize(
    "given",
    [
        "",
        "Basic",
        "Basic ",
        "Basic !!!",
        "Basic пароль",
        "Basic cmVs",
        basic("relay:wron"),
        basic("relay:"),
        basic("relay"),
        basic(":right"),
        basic("relay:right "),
        basic("Relay:right"),
        basic("relay:right")[:-4],
        basic("relay:right").replace("Basic ", "Basic !"),
        basic("relay:right").replace("Basic", "Bearer"),
    ],
)
def test_wrong_empty_or_cut_basic_credentials_are_refused(given: str) -> None:
    with pytest.raises(Unauthorized):
        auth.check_basic(Basic(username="relay", password=(Secret("right"),)), posted(b"", {"authorization": given}))


def test_while_a_password_is_changed_both_are_good() -> None:
    option = Basic(username="relay", password=(NEW, OLD))

    for password in ("new-secret", "old-secret"):
        auth.check_basic(option, posted(b"", {"authorization": basic(f"relay:{password}")}))


# ── A token in a header of its own ────────────────────────────────────────────────────────────────────────────


def test_a_header_token_is_found_whatever_the_case_of_its_name() -> None:
    auth.check_header([NEW, OLD], posted(b"", {"x-relay-token": "old-secret"}), header="X-Relay-Token")


@pytest.mark.parametrize("headers", [{}, {"x-relay-token": ""}, {"x-relay-token": "new"}, {"x-other": "new-secret"}])
def test_a_missing_or_wrong_header_token_is_refused(headers: dict[str, str]) -> None:
    with pytest.raises(Unauthorized, match="X-Relay-Token"):
        auth.check_header([NEW], posted(b"", headers), header="X-Relay-Token")


@pytest.mark.parametrize("headers", [{}, {"x-relay-token": ""}])
def test_that_a_header_token_is_not_there_at_all_is_told_from_a_wrong_one(headers: dict[str, str]) -> None:
    with pytest.raises(Unauthorized, match="X-Relay-Token is missing or empty"):
        auth.check_header([NEW], posted(b"", headers), header="X-Relay-Token")


def test_no_refusal_repeats_what_was_sent_or_what_was_expected() -> None:
    request = posted(b"", {"authorization": "Bearer guessed-by-a-stranger", "x-relay-token": "guessed-by-a-stranger"})
    checks: list[Callable[[], None]] = [
        lambda: auth.check_bearer([NEW], request),
        lambda: auth.check_header([NEW], request, header="X-Relay-Token"),
        lambda: auth.check_basic(Basic(username="relay", password=(NEW,)), request),
        lambda: auth.check_hmac([NEW], b"", "guessed-by-a-stranger", header="X-Signature"),
    ]
    for check in checks:
        with pytest.raises(Unauthorized) as refusal:
            check()
        assert "guessed" not in str(refusal.value)
        assert "new-secret" not in str(refusal.value)

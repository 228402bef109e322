"""By what a source may be asked to prove itself, as `rules.yaml` says it, and the check that something is asked.

Never looks at a request: that is auth.py.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from relay.schema import Part, Secrets
from relay.settings import Secret
from relay.sources import standard_signature
from relay.sources.options import Basic, SourceOptions

# RFC 9110 §5.6.2, token: what a header's name is made of, and an authentication scheme too.
HeaderName = Annotated[str, Field(pattern=r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")]

ONE_HEADER = ("basic", "bearer", "authorization")  # these fill the same Authorization header

Algorithm = Literal["sha256", "sha1", "sha384", "sha512"]
Encoding = Literal["hex", "base64"]


def expect_proof(options: SourceOptions, *ways: str) -> None:
    """Check that ``options`` name at least one of ``ways``, or are open, and do not contradict themselves.

    Raises:
        ValueError: they do; the sentence says what to write instead.
    """
    given = [way for way in ways if getattr(options, way) is not None]
    rivals = [way for way in given if way in ONE_HEADER]
    if not given and not options.open:
        raise ValueError(f"asks for no credentials: give {' or '.join(ways)}, or open: true if anybody may post here")
    if given and options.open:
        raise ValueError(f"open: true lets anybody in, {' and '.join(given)} does not: keep one of them")
    if len(rivals) > 1:
        raise ValueError(f"{' and '.join(rivals)} fill the same Authorization header: keep one of them")


class HeaderToken(Part):
    """A fixed token in a header of its own."""

    header: HeaderName
    value: Secrets


class Hmac(Part):
    """A header with an HMAC of the raw body, after a prefix where the sender writes one (``sha256=``)."""

    secret: Secrets
    header: HeaderName
    algorithm: Algorithm = "sha256"
    encoding: Encoding = Field(default="hex", description="hex in lower case, or base64")
    prefix: str = ""


def _signing(secrets: tuple[Secret, ...]) -> tuple[Secret, ...]:
    for secret in secrets:
        standard_signature.key_of(secret)
    return secrets


SigningSecrets = Annotated[Secrets, AfterValidator(_signing)]


class StandardWebhooks(Part):
    """The headers webhook-id, webhook-timestamp and webhook-signature (Standard Webhooks 1.0)."""

    secret: SigningSecrets


class HeaderProof(SourceOptions):
    """For senders that can do no more than add headers. All that is given must hold."""

    bearer: Secrets | None = None
    basic: Basic | None = None
    token: HeaderToken | None = None

    @property
    def ways(self) -> tuple[str, ...]:
        return ("bearer", "basic", "token")

    @model_validator(mode="after")
    def _proof(self) -> Self:
        expect_proof(self, *self.ways)
        if self.token and self.token.header.lower() == "authorization" and (self.bearer or self.basic):
            raise ValueError("token.header is Authorization, which bearer and basic fill too: keep one of them")
        return self


class AnyProof(HeaderProof):
    """For senders that are known by their rules alone: also signatures."""

    hmac: Hmac | None = None
    standard_webhooks: StandardWebhooks | None = None

    @property
    def ways(self) -> tuple[str, ...]:
        return (*super().ways, "hmac", "standard_webhooks")

    @model_validator(mode="after")
    def _one_header_each(self) -> Self:
        taken = {"authorization"} if self.bearer or self.basic else set()
        taken |= {self.token.header.lower()} if self.token else set()
        taken |= set(standard_signature.HEADERS) if self.standard_webhooks else set()
        if self.hmac and self.hmac.header.lower() in taken:
            raise ValueError("hmac.header is a header that another of the credentials fills too: keep one of them")
        return self

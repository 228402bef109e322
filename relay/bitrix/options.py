"""What `portal:` in `rules.yaml` says: where the portal is, how the relay proves itself there, and its pace.

Never talks to a portal.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from relay.schema import Part, SecretText

# A host, or its address: https, or http on this machine.
_PORT = r"(?::[0-9]{1,5})?"
_SERVER = rf"^(?:(?:https://)?[A-Za-z0-9.-]+{_PORT}|http://(?:127\.0\.0\.1|localhost|\[::1\]){_PORT})/?$"
# Not \w, which is all letters of Unicode: pydantic's engine would make an automaton of 19 MB of two hundred of them.
_CLIENT_ID = r"^[A-Za-z0-9_.-]{1,200}$"


class Plan(Part):
    """The portal's rate limit: a bucket that holds ``burst`` requests and leaks ``rate`` of them a second."""

    rate: Annotated[float, Field(gt=0, le=1000)]
    burst: Annotated[int, Field(ge=1, le=100_000)]


class AppOptions(Part):
    """A local application of the portal: its key and its secret; its tokens are kept in the database.

    ``oauth`` is the authorisation server's host, else the one of the domain's region. ``application_token`` is
    what the portal puts into the application's events: with it, no other installation is believed.
    """

    domain: str
    client_id: Annotated[str, Field(pattern=_CLIENT_ID)]
    client_secret: SecretText
    oauth: Annotated[str, Field(pattern=_SERVER)] = ""
    application_token: SecretText | None = None


class PortalOptions(Part):
    """One portal: an incoming webhook, an application, or an application's token with the portal's domain.

    ``insecure`` allows plain http beyond this machine, for a self-hosted portal inside a network one trusts.
    """

    webhook: SecretText | None = None
    domain: str = ""
    token: SecretText | None = None
    app: AppOptions | None = None
    plan: Literal["standard", "enterprise", "unlimited"] | Plan = "standard"
    insecure: bool = False

    @model_validator(mode="after")
    def _one_way_in(self) -> Self:
        if sum(way is not None for way in (self.webhook, self.token, self.app)) != 1:
            raise ValueError(
                "give one of webhook: (an incoming webhook's address), app: (an application's domain, client_id and "
                "client_secret), or domain: with token:"
            )
        if (self.token is None) != (not self.domain):
            raise ValueError("domain: and token: belong together; an application's domain stands under app:")
        return self

    @property
    def way_in(self) -> Literal["webhook", "app", "token"]:
        """How the relay proves itself to this portal."""
        return "webhook" if self.webhook is not None else "app" if self.app is not None else "token"

    @property
    def address_key(self) -> tuple[str, ...]:
        """Where in this piece of the file the portal's address stands."""
        return {"webhook": ("webhook",), "app": ("app", "domain"), "token": ("domain",)}[self.way_in]

    @property
    def replaces_by_tag(self) -> bool:
        """Does this portal honour uniqueness tags from us? Only an application's: for a webhook the server drops
        the tag without a word (im module, notifyAdd: TAG is stored only with an application's client id)."""
        return self.webhook is None

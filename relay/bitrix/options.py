"""What `portal:` in `rules.yaml` says: where the portal is, how the relay proves itself there, and its pace.

Never talks to a portal.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from relay.schema import Part, SecretText


class Plan(Part):
    """The portal's rate limit: a bucket that holds ``burst`` requests and leaks ``rate`` of them a second."""

    rate: Annotated[float, Field(gt=0, le=1000)]
    burst: Annotated[int, Field(ge=1, le=100_000)]


class PortalOptions(Part):
    """One portal: an incoming webhook, or an application's token with the portal's domain.

    ``insecure`` allows plain http beyond this machine, for a self-hosted portal inside a network one trusts.
    """

    webhook: SecretText | None = None
    domain: str = ""
    token: SecretText | None = None
    plan: Literal["standard", "enterprise", "unlimited"] | Plan = "standard"
    insecure: bool = False

    @model_validator(mode="after")
    def _one_way_in(self) -> Self:
        if (self.webhook is None) == (self.token is None):
            raise ValueError("give either webhook: (an incoming webhook's address) or domain: with token:")
        if (self.token is None) != (not self.domain):
            raise ValueError("domain: and token: belong together")
        return self

    @property
    def replaces_by_tag(self) -> bool:
        """Does this portal honour uniqueness tags from us? Only an application's: for a webhook the server drops
        the tag without a word (im module, notifyAdd: TAG is stored only with an application's client id)."""
        return self.token is not None

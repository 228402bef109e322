"""The name of a repository from its address, as forges write it: ``acme/shop``.

Never shows an address itself: it may hold a password.
"""

from __future__ import annotations

import re

# https://host/acme/shop.git, ssh://git@host:22/acme/shop and git@host:acme/shop (git-fetch(1), «GIT URLS»).
ADDRESS = re.compile(r"(?:[a-z][a-z0-9+.-]*://[^/\s]*/|[^/\s:]+:)/*(\S+)", re.IGNORECASE)


def repo_name(address: str) -> str:
    """The path of a repository's address without ``.git``; a name that is no address stays as it is."""
    match = ADDRESS.fullmatch(address.strip())
    path = match[1] if match else address.strip().rpartition("@")[2]
    return path.rstrip("/").removesuffix(".git").strip("/")

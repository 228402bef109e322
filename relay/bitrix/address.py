"""Where a portal is and how one proves oneself there: the address that people paste, made exact or refused.

Never connects to anything, and never repeats what was pasted: an incoming webhook's address is a password.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import SplitResult, unquote, urljoin, urlsplit

from relay.bitrix.options import PortalOptions
from relay.errors import PortalUnreachable, RelayError
from relay.settings import NO_SECRET, Secret

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")
_HOST = re.compile(r"(?:[\w-]+\.)*[\w-]+|\[[0-9A-Fa-f:.]+\]")  # names may be Cyrillic: портал.рф
_SEGMENT = re.compile(r"(?!\.{1,2}$)[\w.~%@+-]+")
_METHOD = re.compile(r"[A-Za-z]\w*(?:\.\w+)*", re.ASCII)
_CLOUD = re.compile(r"[a-z0-9-]+\.(bitrix24\.[a-z]{2,}(?:\.[a-z]{2})?)")

WEBHOOK_SHAPE = "https://<portal>/rest/<user>/<secret>/"


class BadAddress(RelayError):
    """The portal's address cannot be used."""


class PortalNotTrusted(PortalUnreachable):
    """The portal is not given the credentials: its certificate or its redirect is not one to trust.

    Asking again cannot help; somebody has to mend the address or the portal.
    """


@dataclass(frozen=True, slots=True)
class Address:
    """A portal's REST address. It may be printed, logged and compared: its secrets are kept.

    ``base`` ends in ``/`` and takes a method's name; ``host`` (with its port) and ``shown`` are safe to show.
    """

    base: Secret
    host: str
    token: Secret
    shown: str

    @property
    def loopback(self) -> bool:
        """Is the portal on this machine?"""
        return _is_loopback(urlsplit(self.shown).hostname or "")

    def hide(self, text: str) -> str:
        """``text`` without the secret and the token: for what others wrote, such as a page that repeats its URL."""
        if not self.token and self.shown == self.base.reveal():  # an application's: its tokens are not part of it
            return text
        secret = self.token.reveal() or self.base.reveal().rstrip("/").rpartition("/")[2]
        return text.replace(secret, "***")

    def method_url(self, method: str) -> Secret:
        """The whole URL of a method such as ``im.notify.personal.add``."""
        if not _METHOD.fullmatch(method):
            raise ValueError("a REST method's name is letters, digits and dots")
        return Secret(self.base.reveal() + method)


def parse(url: str, token: str = "", *, insecure: bool = False) -> Address:
    """Read an address as people paste it.

    Without ``token`` it is an incoming webhook's (``https://<portal>/rest/<user>/<secret>/``); with one it is
    the portal's domain, with or without ``/rest/``. The scheme may be missing, spaces and slashes at the ends
    do not matter, and a method or query string copied along is dropped. Plain http is for this machine, or
    for whoever says ``insecure``.

    Raises:
        BadAddress: it cannot be used; the sentence says what to give and repeats nothing of it.
    """
    root, path = _rooted(url, insecure)
    token = token.strip()
    if any(not 0x20 < ord(sign) < 0x7F for sign in token):
        raise BadAddress("the token holds blanks or signs that no token has; copy it again")
    rest, shown = _application_path(path) if token else _webhook_path(path)
    host = root.partition("://")[2]
    return Address(Secret(root + rest), host, Secret(token) if token else NO_SECRET, root + shown)


def application(domain: str, *, insecure: bool = False) -> Address:
    """The address of an application on its portal. It holds no token: that comes with each call.

    Raises:
        BadAddress: as `parse`.
    """
    root, path = _rooted(domain, insecure)
    rest, shown = _application_path(path)
    return Address(Secret(root + rest), root.partition("://")[2], NO_SECRET, root + shown)


def root_of(url: str, *, insecure: bool = False) -> str:
    """Scheme and host of a portal's address, whatever its path: ``https://example.bitrix24.com``.

    Raises:
        BadAddress: as `parse`.
    """
    return _rooted(url, insecure)[0]


def from_options(options: PortalOptions) -> Address:
    """The address that `portal:` in the rules file gives.

    Raises:
        BadAddress: as `parse`.
    """
    if options.webhook is not None:
        return parse(options.webhook.reveal(), insecure=options.insecure)
    if options.app is not None:
        return application(options.app.domain, insecure=options.insecure)
    token = options.token or NO_SECRET
    return parse(options.domain, token.reveal(), insecure=options.insecure)


def moved(address: Address, method: str, location: str) -> Address:
    """Where a renamed portal wants the same request, if it may be trusted with the credentials.

    A renamed cloud portal answers 302 from its old name (Bitrix24 REST docs, call limits and redirects). The
    webhook's secret stands in the path, so it goes only to the same host, or to another name under the same
    domain of the cloud: ``old.bitrix24.com`` to ``new.bitrix24.com``. Never to a weaker scheme, never elsewhere.

    Raises:
        PortalNotTrusted: the redirect is not of that kind.
    """
    asked = urlsplit(address.method_url(method).reveal())
    try:
        target = urlsplit(urljoin(asked.geturl(), location))
        new_host = _host(target)
    except (ValueError, BadAddress):
        raise _not_followed(address, "to an address that cannot be read") from None
    if target.scheme not in ("https", asked.scheme):
        raise _not_followed(address, "to a weaker scheme")
    if new_host != address.host and not _same_cloud(address.host, new_host):
        raise _not_followed(address, f"to {new_host}", "; if that is the portal's new name, configure it")
    if unquote(target.path).rstrip("/") != unquote(asked.path):
        raise _not_followed(address, "to another page", "; is this a portal's address, and is the portal open?")
    if (new_host, target.scheme) == (address.host, asked.scheme):
        raise _not_followed(address, "to itself")
    old_root, new_root = f"{asked.scheme}://{address.host}", f"{target.scheme}://{new_host}"
    base = new_root + address.base.reveal().removeprefix(old_root)
    return Address(Secret(base), new_host, address.token, new_root + address.shown.removeprefix(old_root))


def _not_followed(address: Address, where: str, remedy: str = "") -> PortalNotTrusted:
    return PortalNotTrusted(f"{address.host} redirects {where}, which is not followed{remedy}", sent=False)


def _rooted(url: str, insecure: bool) -> tuple[str, str]:
    """Scheme with host, and the path; http only where nobody can listen, or where that is accepted."""
    parts = _split(url)
    host = _host(parts)
    if parts.scheme == "http" and not (insecure or _is_loopback(parts.hostname or "")):
        raise BadAddress("http:// would send the credentials readable by anybody on the way; use https://")
    return f"{parts.scheme}://{host}", parts.path


def _split(url: str) -> SplitResult:
    """The parts of a URL, with ``https`` where no scheme is said."""
    url = url.strip()
    if not url:
        raise BadAddress(f"the portal's address is empty; give {WEBHOOK_SHAPE}, or the domain and a token")
    if "\\" in url or any(sign.isspace() or not sign.isprintable() for sign in url):
        raise BadAddress("the portal's address holds blanks or signs that no address has; copy it again")
    scheme = _SCHEME.match(url)
    if scheme and scheme[1].lower() not in ("http", "https"):
        raise BadAddress("the portal's address begins with a scheme that is not https://")
    try:
        return urlsplit(url if scheme else f"https://{url}")
    except ValueError:  # an unclosed [ of an IPv6 address
        raise BadAddress(f"the portal's address cannot be read; give {WEBHOOK_SHAPE}") from None


def _host(parts: SplitResult) -> str:
    """Host and port, in lower case; the scheme's own port is left out."""
    if "@" in parts.netloc:
        raise BadAddress("a user name or password has no place in the portal's address")
    name, colon, port = parts.netloc.lower().rpartition(":")
    if not colon or (name.startswith("[") and not name.endswith("]")):  # the last colon of [::1] begins no port
        name, port = parts.netloc.lower(), ""
    if not _HOST.fullmatch(name) or len(name) > 253:
        raise BadAddress("the portal's address has no proper host name")
    if port and not (port.isascii() and port.isdigit() and 0 < int(port[:6]) < 65536):
        raise BadAddress("the port in the portal's address is not a number from 1 to 65535")
    standard = {"https": "443", "http": "80"}[parts.scheme] if parts.scheme in ("http", "https") else ""
    return f"{name}:{port}" if port and port != standard else name


def _webhook_path(path: str) -> tuple[str, str]:
    """``/rest/<user>/<secret>/`` and the same with the secret hidden."""
    before, after = _around_rest(path)
    match after:
        case [user, secret] if not _is_method(secret):
            pass
        case [user, secret, method] if _is_method(method):
            pass
        case [_] | [_, _]:
            raise BadAddress(f"the webhook's address has no secret in it; copy all of {WEBHOOK_SHAPE}")
        case []:
            raise BadAddress(f"a domain alone needs a token; an incoming webhook's address is {WEBHOOK_SHAPE}")
        case _:
            raise BadAddress(f"the webhook's address has more parts than {WEBHOOK_SHAPE}")
    owner = user if user.isdigit() else "***"  # anything else may be a secret that stands in the wrong place
    return f"{before}/rest/{user}/{secret}/", f"{before}/rest/{owner}/***/"


def _application_path(path: str) -> tuple[str, str]:
    """``/rest/``, twice: it holds no secret."""
    before, after = _around_rest(path)
    if len(after) >= 2:
        raise BadAddress(
            "this is a whole webhook's address and a token as well: give the webhook without a token "
            "(BITRIX24_TOKEN counts too), or the portal's domain with it"
        )
    if after and not _is_method(after[0]):
        raise BadAddress("with a token, the portal's address is its domain, or ends in /rest/")
    return f"{before}/rest/", f"{before}/rest/"


def _around_rest(path: str) -> tuple[str, list[str]]:
    """What stands before ``/rest`` (a reverse proxy's prefix, if any), and the segments after it."""
    segments = [segment for segment in path.split("/") if segment]
    if not all(map(_SEGMENT.fullmatch, segments)):
        raise BadAddress(f"the path of the portal's address holds signs that it cannot have; give {WEBHOOK_SHAPE}")
    if "rest" not in segments:
        if segments:
            raise BadAddress(f"the path is not a portal's REST; give {WEBHOOK_SHAPE}, or the domain and a token")
        return "", []
    at = segments.index("rest")
    after = segments[at + 1 :]
    if after[:1] == ["api"]:  # the same webhook as REST 3.0 writes it, where im.notify.* is not (REST 3.0 docs)
        after = after[1:]
    return "".join(f"/{segment}" for segment in segments[:at]), after


def _is_method(segment: str) -> bool:
    """``im.notify.personal.add.json``, ``profile.json``, ``profile``: what portal pages show after the secret."""
    return "." in segment or segment == "profile"


def _is_loopback(name: str) -> bool:
    try:
        return ipaddress.ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return name == "localhost"


def _same_cloud(old: str, new: str) -> bool:
    ours, theirs = _CLOUD.fullmatch(old), _CLOUD.fullmatch(new)
    return ours is not None and theirs is not None and ours[1] == theirs[1]

"""The only file that sends: bytes out, bytes in, and what went wrong told without a secret.

Never decides what an answer means, never repeats a request by itself, and lets no exception text of the HTTP
library out: `requests` prints whole URLs, and a webhook's URL is a password.
"""

from __future__ import annotations

import io
import json
import logging
import re
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from types import TracebackType
from typing import Any, NamedTuple, Self
from urllib.parse import urlsplit

import requests
import urllib3.connection
import urllib3.exceptions

from relay import __version__
from relay.bitrix.address import Address, PortalNotTrusted, moved
from relay.errors import PortalUnreachable
from relay.settings import Secret

CONNECT_TIMEOUT = 5.0
READ_TIMEOUT = 65.0  # the portal lets a request run for 60 s (Bitrix24 REST docs, limits): it must be first to give up
# What the other side has not taken by then is not sent any more (TCP_USER_TIMEOUT, tcp(7); Linux). Else a request that
# was lost on a broken way would be carried out once the way is mended, after others have sent it again, and newer ones.
TAKEN_WITHIN = 5.0  # seconds; less than what is left of a lease when a call under it begins
MAX_ANSWER = 8_000_000  # bytes, decompressed; a batch of fifty answers has some 20 kB
IDLE = 4.0  # seconds; Apache closes an idle connection after 5 (KeepAliveTimeout), just when we might reuse it
REDIRECTS = (301, 302, 307, 308)

_HEADERS = {
    "Accept": "application/json",
    "Accept-Encoding": "gzip",
    "User-Agent": f"bitrix24-relay/{__version__}",
}
_ADDRESS = re.compile(r"(/rest/|/oauth/token/)[^\s\"]+")
_NO_PROXIES: dict[str, Any] = {"http": None, "https": None, "all": None}


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer. ``headers`` has lower-case names; ``moved_to`` is the host that answered, if it was another."""

    status: int
    body: bytes
    headers: Mapping[str, str]
    moved_to: str = ""


class Client:
    """Calls the methods of one portal; any number of threads may share it, each gets a session of its own.

    Args:
        address: the portal.
        timeout: seconds to connect, and seconds without a byte of the answer; the whole answer may take
            twice the latter.
        proxy: a proxy's URL; without it the environment's are used (``HTTPS_PROXY``, ``NO_PROXY``), though
            never for this machine itself.
        session: used by all threads instead of their own.
    """

    def __init__(
        self,
        address: Address,
        *,
        timeout: tuple[float, float] = (CONNECT_TIMEOUT, READ_TIMEOUT),
        proxy: str = "",
        session: requests.Session | None = None,
    ) -> None:
        self._address = address
        self._moved_to = ""
        self._wire = Wire(timeout=timeout, proxy=proxy, session=session)

    def call(self, method: str, payload: Mapping[str, Any]) -> Reply:
        """POST ``payload`` as JSON to a REST method, with the token in it where the address has one.

        A renamed portal's redirect is followed once, to where `relay.bitrix.address.moved` allows, and
        remembered: every later reply tells the new host.

        Raises:
            PortalUnreachable: no answer; ``sent`` says whether the portal may have got the request.
        """
        address = self._address  # as it is now: another thread may learn of the new name meanwhile
        reply = self._post(address, method, payload)
        if reply.status in REDIRECTS:
            address = moved(address, method, reply.headers.get("location", ""))
            reply = self._post(address, method, payload)
            if reply.status in REDIRECTS:
                raise PortalNotTrusted(f"{address.host} redirects once more, which is not followed", sent=False)
            self._address, self._moved_to = address, address.host
        return Reply(reply.status, reply.body, reply.headers, self._moved_to)

    def _post(self, address: Address, method: str, payload: Mapping[str, Any]) -> Reply:
        content = {"auth": address.token.reveal(), **payload} if address.token else payload
        body = json.dumps(content, ensure_ascii=False, allow_nan=False).encode("utf-8", "replace")
        url = address.method_url(method)
        return self._wire.send("POST", url, name=address.host, direct=address.loopback, body=body)

    def close(self) -> None:
        self._wire.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


class Wire:
    """One HTTP request, one answer, for any address. Never follows a redirect and never repeats."""

    def __init__(
        self, *, timeout: tuple[float, float], proxy: str = "", session: requests.Session | None = None
    ) -> None:
        self._timeout = timeout
        self._proxy = proxy
        self._given = session
        self._mine = threading.local()
        self._all: list[requests.Session] = []

    def send(self, verb: str, url: Secret, *, name: str, direct: bool = False, body: bytes | None = None) -> Reply:
        """Send one request.

        Args:
            verb: GET or POST.
            url: where to.
            name: what to call the other side in an error; safe to show.
            direct: pass by the proxies that the environment names.
            body: JSON.

        Raises:
            PortalUnreachable: no whole answer came.
        """
        outgoing = _Body(body) if body is not None else None
        try:
            return self._exchange(verb, url, direct, outgoing)
        except _TooMuch as error:
            why: PortalUnreachable = PortalUnreachable(f"{name} {error}", sent=True)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
            why = _unreachable(name, error, begun=outgoing is None or outgoing.begun)
        # Raised out here, so that the original, with the URL in its text, does not hang on it as its context.
        raise why

    def close(self) -> None:
        while self._all:
            self._all.pop().close()

    def _exchange(self, verb: str, url: Secret, direct: bool, outgoing: _Body | None) -> Reply:
        headers = {**_HEADERS, **({"Content-Type": "application/json"} if outgoing else {})}
        with self._session().request(
            verb,
            url.reveal(),
            data=outgoing,
            headers=headers,
            timeout=self._timeout,
            proxies=self._proxies(direct),
            allow_redirects=False,
            stream=True,
        ) as response:
            content = _read(response, until=time.monotonic() + 2 * self._timeout[1])
            return Reply(response.status_code, content, {key.lower(): value for key, value in response.headers.items()})

    def _proxies(self, direct: bool) -> dict[str, Any] | None:
        if self._proxy:
            return {"http": self._proxy, "https": self._proxy}
        return dict(_NO_PROXIES) if direct else None

    def _session(self) -> requests.Session:
        """This thread's session. A connection that has been idle is not trusted: if the other side closes it
        while we send, nobody can say whether the request was taken."""
        if self._given is not None:
            return self._given
        session: requests.Session | None = getattr(self._mine, "session", None)
        now = time.monotonic()
        if session is None:
            session = self._mine.session = _new_session()
            self._all.append(session)
        elif now - self._mine.used > IDLE:
            session.close()
        self._mine.used = now
        return session


class _Body(io.BytesIO):
    """A request's body that notices when its sending begins: before that, nothing can have been carried out."""

    begun = False

    def __len__(self) -> int:
        return len(self.getbuffer())

    def read(self, size: int | None = -1, /) -> bytes:
        self.begun = True
        return super().read(size)


class _TooMuch(Exception):
    """The answer is larger, or takes longer, than an answer may."""


class _NoAddresses(logging.Filter):
    """urllib3 writes each request's path into its own log, and a webhook's path is a password."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = _ADDRESS.sub(r"\1***", record.getMessage()), ()
        return True


logging.getLogger("urllib3.connectionpool").addFilter(_NoAddresses())


class _Session(requests.Session):
    """A session that looks at the environment once for each address, and not where a redirect leads."""

    def __init__(self) -> None:
        super().__init__()
        self._known: dict[tuple[Any, ...], Any] = {}

    def get_redirect_target(self, resp: requests.Response) -> None:  # noqa: ARG002  (the signature is requests')
        """Nowhere: requests would read a redirect's whole body to follow it."""
        return

    def merge_environment_settings(self, url: Any, proxies: Any, stream: Any, verify: Any, cert: Any) -> Any:
        """Which proxies and which certificates, as requests finds out by reading the whole environment three times for
        each call, and always the same."""
        asked = (*urlsplit(url)[:2], tuple(proxies.items()), stream, verify, cert)
        if asked not in self._known:
            self._known[asked] = super().merge_environment_settings(url, proxies, stream, verify, cert)
        return dict(self._known[asked])


class _Adapter(requests.adapters.HTTPAdapter):
    """Connections, also those to a proxy, that give up what is not taken in time."""

    def init_poolmanager(self, *args: Any, **how: Any) -> None:
        super().init_poolmanager(*args, **how, socket_options=_SOCKET_OPTIONS)

    def proxy_manager_for(self, proxy: str, **how: Any) -> Any:
        return super().proxy_manager_for(proxy, **how, socket_options=_SOCKET_OPTIONS)


_SOCKET_OPTIONS = list(urllib3.connection.HTTPConnection.default_socket_options)
if hasattr(socket, "TCP_USER_TIMEOUT"):
    _SOCKET_OPTIONS.append((socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(TAKEN_WITHIN * 1000)))


def _new_session() -> requests.Session:
    session = _Session()
    for scheme in ("http://", "https://"):
        session.mount(scheme, _Adapter())
    # The environment's proxies and CA bundle are wanted, ~/.netrc is not: requests would put its password into
    # an Authorization header, which the portal prefers to our token. An auth of our own keeps it from looking.
    session.auth = _as_it_is
    # No cookies: PHP makes requests with one session id wait for each other.
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    return session


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _read(response: requests.Response, *, until: float) -> bytes:
    """The whole body, decompressed, as it arrives; no more of it and no longer than an answer may take."""
    content = bytearray()
    while piece := response.raw.read1(65_536, decode_content=True):
        content += piece
        if len(content) > MAX_ANSWER:
            raise _TooMuch(f"answers with more than {MAX_ANSWER // 1_000_000} MB")
        if time.monotonic() > until:
            raise _TooMuch("does not come to the end of its answer")
    return bytes(content)


class _Cause(NamedTuple):
    """What may go wrong, in our words. ``before``: it goes wrong before a request can be sent."""

    kind: type[BaseException]
    sentence: str
    before: bool


# Searched from the top, in the error and in what caused it.
_CAUSES = (
    _Cause(requests.exceptions.InvalidProxyURL, "the proxy's address cannot be used", before=True),
    _Cause(urllib3.exceptions.ProxySchemeUnknown, "the proxy's kind is not supported", before=True),
    _Cause(requests.exceptions.InvalidSchema, "the proxy's kind is not supported", before=True),
    _Cause(urllib3.exceptions.ProxyError, "the proxy does not let us through", before=True),
    _Cause(ssl.SSLCertVerificationError, "its certificate is not trusted", before=True),
    _Cause(urllib3.exceptions.NameResolutionError, "its name is not known (DNS)", before=True),
    _Cause(urllib3.exceptions.NewConnectionError, "does not take connections", before=True),
    _Cause(urllib3.exceptions.ConnectTimeoutError, "does not take the connection in time", before=True),
    _Cause(requests.exceptions.InvalidURL, "is not a name to connect to", before=True),
    _Cause(UnicodeError, "is not a name to connect to", before=True),
    _Cause(urllib3.exceptions.ProtocolError, "the connection broke", before=False),
    _Cause(urllib3.exceptions.ReadTimeoutError, "does not answer in time", before=False),
    _Cause(urllib3.exceptions.DecodeError, "its answer cannot be decompressed", before=False),
    _Cause(ssl.SSLError, "does not speak TLS as we do", before=False),
    _Cause(ValueError, "cannot be called like this: check the proxy and the timeout", before=True),
)
_UNKNOWN_CAUSE = _Cause(BaseException, "the connection broke", before=False)


def _unreachable(name: str, error: Exception, *, begun: bool) -> PortalUnreachable:
    """Our own sentence for what happened; nothing of the original's text."""
    chain = _chain(error)
    found = ((cause, one) for cause in _CAUSES for one in chain if isinstance(one, cause.kind))
    cause, one = next(found, (_UNKNOWN_CAUSE, error))
    sent = begun and not cause.before
    if isinstance(one, ssl.SSLCertVerificationError):  # with OpenSSL's own words: «certificate has expired»
        return PortalNotTrusted(f"{name}: {cause.sentence} ({one.verify_message})", sent=sent)
    return PortalUnreachable(f"{name}: {cause.sentence}", sent=sent)


def _chain(error: BaseException) -> list[BaseException]:
    """An error, its arguments, its reasons and its causes, as `requests` and `urllib3` wrap them."""
    chain = [error]
    for one in chain:
        further = (*one.args, getattr(one, "reason", None), one.__cause__, one.__context__)
        chain += [other for other in further if isinstance(other, BaseException) and other not in chain]
    return chain

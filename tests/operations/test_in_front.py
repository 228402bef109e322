"""nginx before the relay, as the example says: TLS, slow and chunked bodies, request ids, and what is closed."""

from __future__ import annotations

import json
import os
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from tests.conftest import absent
from tests.line.conftest import until
from tests.line.processes import Process, free_port

EXAMPLE = Path(__file__).parents[2] / "examples" / "nginx" / "relay.conf"
RULES = """\
version: 1
portal: {webhook: "https://acme.bitrix24.ru/rest/1/KEYKEYKEY/"}
sources: {x: {type: json, bearer: x-token-of-the-test, title: payload.title}}
people: {ivan: {id: 17}}
default: {to: ivan}
"""


@dataclass(frozen=True)
class Site:
    """nginx at a port with TLS, and the logs of both."""

    port: int
    plain: int
    relay_log: Path
    nginx_log: Path


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    nginx = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin") or absent(
        "nginx", "install Debian's package nginx-light"
    )
    openssl = shutil.which("openssl") or absent("openssl", "install Debian's package openssl")
    folder = tmp_path_factory.mktemp("site")
    (folder / "rules.yaml").write_text(RULES, encoding="utf-8")
    port, plain, behind = free_port(), free_port(), free_port()
    key = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=relay.example.com"
    where = ["-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")]
    subprocess.run([openssl, *key.split(), *where], check=True, capture_output=True)
    (folder / "nginx.conf").write_text(whole(folder, port=port, plain=plain, behind=behind), encoding="utf-8")
    checked = subprocess.run(
        [nginx, "-t", "-c", str(folder / "nginx.conf")], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stderr
    assert "warn" not in checked.stderr
    env = os.environ | {
        "RELAY_RULES": str(folder / "rules.yaml"),
        "DATABASE_URL": f"sqlite:///{folder}/relay.db",
        "PORT": str(behind),
        "RELAY_ADMIN_PASSWORD": "open sesame",
    }
    door = Process(["web"], env, folder / "relay.log")
    door.start()
    running = subprocess.Popen([nginx, "-c", str(folder / "nginx.conf")])
    try:
        made = Site(port, plain, folder / "relay.log", folder / "access.log")
        until(lambda: answers(made), patience=90)
        yield made
    finally:
        running.terminate()
        running.wait(30)
        door.end()


def whole(folder: Path, *, port: int, plain: int, behind: int) -> str:
    """The example, as it stands, at other ports and with another certificate."""
    text = EXAMPLE.read_text(encoding="utf-8")
    for said, here in {
        "127.0.0.1:8080": f"127.0.0.1:{behind}",
        "listen 80;": f"listen 127.0.0.1:{plain};",
        "listen 443 ssl;": f"listen 127.0.0.1:{port} ssl;",
        "    listen [::]:80;\n": "",
        "    listen [::]:443 ssl;\n": "",
        "/etc/letsencrypt/live/relay.example.com/fullchain.pem": f"{folder}/cert.pem",
        "/etc/letsencrypt/live/relay.example.com/privkey.pem": f"{folder}/key.pem",
        "/var/log/nginx/relay.log": f"{folder}/access.log",
    }.items():
        assert text.count(said) == 1, said
        text = text.replace(said, here)
    temporary = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy"))
    who = "user root root;\n" if os.geteuid() == 0 else ""
    return (
        f"{who}daemon off;\npid {folder}/nginx.pid;\nerror_log {folder}/error.log;\nevents {{}}\n"
        f"http {{\n{temporary}access_log off;\n{text}}}\n"
    )


def answers(site: Site) -> bool:
    try:
        return ask(site, "GET", "/healthz").status == 200
    except OSError:
        return False


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes


def ask(site: Site, method: str, path: str, *pieces: bytes, headers: str = "", pause: float = 0.0) -> Answer:
    """One request over TLS; each of the pieces of its body is a write of its own."""
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    with (
        socket.create_connection(("127.0.0.1", site.port), 10) as bare,
        trusting.wrap_socket(bare, server_hostname="relay.example.com") as line,
    ):
        line.sendall(
            f"{method} {path} HTTP/1.1\r\nHost: relay.example.com\r\nConnection: close\r\n{headers}\r\n".encode()
        )
        for piece in pieces:
            threading.Event().wait(pause)  # a slow sender is slow by the clock
            line.sendall(piece)
        raw = b"".join(iter(lambda: line.recv(65_536), b""))
    head, _, body = raw.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    named = (each.partition(": ") for each in lines)
    return Answer(int(first.split()[1]), {name.lower(): value for name, _, value in named}, body)


PROOF = "Authorization: Bearer x-token-of-the-test\r\nContent-Type: application/json\r\n"


@pytest.mark.parametrize("pause", [0.0, 0.3], ids=["at once", "slowly"])
def test_a_chunked_body_arrives_whole(site: Site, pause: float) -> None:
    body = json.dumps({"title": "x" * 3000, "pause": pause}).encode()
    parts = [body[:7], body[7:1500], body[1500:]]
    chunks = [b"%x\r\n%b\r\n" % (len(part), part) for part in parts]
    answer = ask(
        site, "POST", "/in/x", *chunks, b"0\r\n\r\n", headers=f"{PROOF}Transfer-Encoding: chunked\r\n", pause=pause
    )

    assert answer.status == 202


def test_a_body_as_large_as_github_s_largest_passes_and_the_source_s_own_limit_answers(site: Site) -> None:
    body = b" " * 6_000_000
    answer = ask(site, "POST", "/in/x", body, headers=f"{PROOF}Content-Length: {len(body)}\r\n")

    assert (answer.status, b"max_body" in answer.body) == (413, True)


def test_a_request_s_name_passes_through_both_logs(site: Site) -> None:
    body = b'{"title": "named"}'
    named = f"{PROOF}Content-Length: {len(body)}\r\nX-Request-Id: from-before/17\r\n"
    answer = ask(site, "POST", "/in/x", body, headers=named)

    assert (answer.status, answer.headers["x-request-id"]) == (202, "from-before/17")
    for kept in (site.relay_log, site.nginx_log):
        until(partial(says, kept, "request=from-before/17"))


def test_a_request_without_a_name_gets_nginx_s(site: Site) -> None:
    name = ask(site, "GET", "/").headers["x-request-id"]

    assert len(name) == 32  # hexadecimal: nginx, ngx_http_core_module, $request_id
    until(partial(says, site.nginx_log, f"request={name}"))


def says(kept: Path, words: str) -> bool:
    return words in kept.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", ["/metrics", "/readyz", "/metrics?x=1", "//metrics", "/./metrics", "/%6detrics"])
def test_what_is_for_the_inside_is_closed(site: Site, path: str) -> None:
    answer = ask(site, "GET", path, headers="Authorization: Bearer open sesame\r\n")

    assert answer.status == 404
    assert b"relay_" not in answer.body


def test_plain_http_is_sent_to_https(site: Site) -> None:
    with socket.create_connection(("127.0.0.1", site.plain), 10) as line:
        line.sendall(b"GET /in/x HTTP/1.1\r\nHost: relay.example.com\r\nConnection: close\r\n\r\n")
        raw = b"".join(iter(lambda: line.recv(65_536), b""))

    assert b"301" in raw.split(b"\r\n")[0]
    assert b"https://relay.example.com/in/x" in raw


def test_the_example_of_the_readme_is_of_the_same_words() -> None:
    readme = EXAMPLE.with_name("README.md").read_text(encoding="utf-8")

    assert "proxy_pass http://relay;" in readme
    assert "upstream relay" in EXAMPLE.read_text(encoding="utf-8")

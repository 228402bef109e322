"""The quick start, word by word: its secrets suit the rules that come with the relay, and its request is taken.

Never starts a process: that the programs start and find each other is held by the line's own tests.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient

from relay import house
from relay.cli.main import main
from relay.settings import Secret, Settings
from relay.web.app import create_app
from tests.docs.pages import DOCS, ROOT, page

SHELL = "\n".join(block.code for block in page(DOCS / "en" / "index.md").blocks if block.language == "sh")


def here_document(file: str) -> str:
    found = re.search(rf"^cat > {re.escape(file)} <<'END'\n(.*?)^END$", SHELL, re.DOTALL | re.MULTILINE)
    assert found
    return found[1]


ENV = dict(line.split("=", 1) for line in here_document(".env").splitlines())


@pytest.fixture
def client(tmp_path: Path) -> Iterator[FlaskClient]:
    chosen = Settings(rules=ROOT / "rules.yaml", database_url=Secret(f"sqlite:///{tmp_path}/relay.db"))
    built = house.build(chosen, ENV)
    yield create_app(built).test_client()
    built.close()


def test_the_check_says_what_the_page_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    for name, value in ENV.items():
        monkeypatch.setenv(name, value)
    done = CliRunner().invoke(main, ["check"])

    assert f"`{done.output.strip()}`" in page(DOCS / "en" / "index.md").text


def signed(body: bytes) -> dict[str, str]:
    """The headers of the page's curl."""
    (secret,) = re.findall(r"hmac\.new\(b\"([^\"]+)\"", SHELL)
    headers = dict(re.findall(r"-H '([\w-]+): ([^']+)'", SHELL.partition("SIGNATURE=")[2].partition("amtool")[0]))
    return headers | {"X-Hub-Signature-256": f"sha256={hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}"}


def test_its_request_is_taken_once_and_known_the_second_time(client: FlaskClient) -> None:
    body = here_document("review.json").encode()
    answers = [client.post("/in/github", data=body, headers=signed(body)) for _ in range(2)]

    assert [each.status_code for each in answers] == [202, 200]
    assert [each.json for each in answers] == [{"event": 1}, {"event": 1, "duplicate": True}]


def test_with_a_digit_changed_it_is_refused(client: FlaskClient) -> None:
    body = here_document("review.json").encode()
    headers = signed(body)
    headers["X-Hub-Signature-256"] = headers["X-Hub-Signature-256"][:-1] + "z"

    assert client.post("/in/github", data=body, headers=headers).status_code == 401


def test_it_tells_ivan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    body = here_document("review.json")
    headers = "".join(f"{name}: {value}\n" for name, value in signed(body.encode()).items())
    (tmp_path / "review.http").write_text(f"POST /in/github HTTP/1.1\n{headers}\n{body}")
    for name, value in ENV.items():
        monkeypatch.setenv(name, value)
    done = CliRunner().invoke(main, ["explain", str(tmp_path / "review.http"), "--rules", str(ROOT / "rules.yaml")])

    assert "→ ivan" in done.output
    assert "Count the money twice" in done.output

"""What the examples of GitHub, Alertmanager and Grafana give to the senders can be used there as it stands."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import yaml

from relay.sources import SENDERS, grafana
from relay.sources.github_events import ROWS
from tests.conftest import absent

EXAMPLES = Path(__file__).parents[2] / "examples"


def readme(name: str) -> str:
    return (EXAMPLES / name / "README.md").read_text(encoding="utf-8")


def rules(name: str) -> Any:
    """What its README says in rules.yaml."""
    (block,) = re.findall(r"^```yaml\n(.*?)^```", readme(name), re.DOTALL | re.MULTILINE)
    return yaml.safe_load(block)


def source(name: str) -> dict[str, Any]:
    (options,) = rules(name)["sources"].values()
    assert options["type"] == name
    return dict(options)


def test_every_event_that_github_is_asked_for_is_known_and_wanted() -> None:
    asked = set(re.findall(r"events\[\]=(\w+)", readme("github")))
    wanted = {event for rule in rules("github")["rules"] for event in listed(rule["when"]["event"])}

    assert asked <= set(ROWS)
    assert asked == wanted


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def test_alertmanager_takes_the_file() -> None:
    amtool = shutil.which("amtool") or absent("amtool", "install Debian's package prometheus-alertmanager")
    command = [amtool, "check-config", str(EXAMPLES / "alertmanager" / "alertmanager.yml")]

    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_alertmanager_posts_to_the_source_with_what_it_asks_for() -> None:
    written = yaml.safe_load((EXAMPLES / "alertmanager" / "alertmanager.yml").read_text(encoding="utf-8"))
    (receiver,) = written["receivers"]
    (hook,) = receiver["webhook_configs"]

    assert written["route"]["receiver"] == receiver["name"]
    assert hook["url"].endswith("/in/alertmanager")
    assert hook["send_resolved"] is True
    assert set(hook["http_config"]["authorization"]) == {"credentials_file"}
    assert "bearer" in source("alertmanager")
    assert SENDERS["alertmanager"].options.model_validate(source("alertmanager"))


def test_grafana_signs_as_the_source_expects_it() -> None:
    written = yaml.safe_load((EXAMPLES / "grafana" / "contact-points.yaml").read_text(encoding="utf-8"))
    (point,) = written["contactPoints"]
    (receiver,) = point["receivers"]
    settings = receiver["settings"]
    options = grafana.Options.model_validate(source("grafana"))

    # Grafana docs, file provisioning of alerting resources and the webhook contact point.
    assert set(point) == {"orgId", "name", "receivers"}
    assert set(receiver) == {"uid", "type", "disableResolveMessage", "settings"}
    assert receiver["type"] == "webhook"
    assert set(settings) <= {"url", "httpMethod", "maxAlerts", "hmacConfig"}
    assert settings["url"].endswith("/in/grafana")
    assert options.hmac is not None
    assert settings["hmacConfig"]["header"] == options.hmac.header
    assert settings["hmacConfig"]["timestampHeader"] == options.hmac.timestamp_header
    assert [policy["receiver"] for policy in written["policies"]] == [point["name"]]

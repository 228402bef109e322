"""A real Zabbix with the media type of examples/zabbix tells a problem, its update and its end, under one tag."""

from __future__ import annotations

import json
import subprocess
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from relay.sandbox import Portal, serve
from relay.settings import Secret
from tests.conftest import Cluster
from tests.line import zabbix
from tests.line.conftest import TOKEN, until
from tests.line.processes import Relay
from tests.line.zabbix import Zabbix

MEDIA_TYPE = Path(__file__).parents[2] / "examples/zabbix/media_bitrix24_relay.yaml"
HOSTGROUP, SUPER_ADMIN, ADMINISTRATORS = "2", "3", "7"  # of the data that comes with the server
TRAPPER, NUMBER, HIGH = 2, 0, 4  # of an item's type and its values', of a trigger's priority
CLOSE, ACKNOWLEDGE, MESSAGE = 1, 2, 4  # bits of an event's update (Zabbix API, event.acknowledge)

RULES = """\
version: 1
portal: {portal}
sources:
  zabbix: {{type: zabbix, bearer: {token}}}
people:
  ivan: {{id: 17, locale: en}}
rules:
  - {{when: {{source: zabbix, labels.team: ops}}, to: assignees}}
default: drop
"""


@pytest.mark.senders
def test_a_problem_its_update_and_its_end_are_one_notification(tmp_path: Path, cluster: Cluster) -> None:
    zabbix.programs()
    portal = Portal()
    url = cluster.server.create()
    with ExitStack() as stack:
        stack.callback(cluster.server.drop, url)
        way_in = {"domain": stack.enter_context(serve(portal)).url, "token": portal.token}
        database = Secret(f"sqlite:///{tmp_path}/relay.db")
        relay = Relay(tmp_path, RULES.format(portal=json.dumps(way_in), token=TOKEN), database)
        stack.callback(relay.end)
        relay.start()
        api = stack.enter_context(zabbix.running(url, tmp_path))
        configure(api, f"{relay.url}/in/zabbix")
        stack.enter_context(zabbix.server(tmp_path))

        until(lambda: sent(api, 95))
        until(lambda: "🔴 High: [url=https://zabbix.example.com/tr_events.php" in text(portal))
        assert "Load is 95 on web-1" in text(portal)

        (problem,) = api.call("event.get", {"value": 1, "output": ["eventid"]})
        update = {"eventids": [problem["eventid"]], "action": ACKNOWLEDGE | MESSAGE, "message": "[b]I look[/b]"}
        api.call("event.acknowledge", update)
        until(lambda: "Admin acknowledged" in text(portal))
        assert "[\u200bb]I look" in text(portal)

        assert sent(api, 5)
        until(lambda: "✅ Resolved in" in text(portal))

    told = portal.commands("im.notify.personal.add")
    assert {command.params["TAG"] for command in told} == {f"zabbix:{problem['eventid']}"}
    assert len(told) == 3
    assert len(portal.notifications(17)) == 1


def text(portal: Portal) -> str:
    return "".join(notification.text for notification in portal.notifications(17))


def sent(api: Zabbix, value: float) -> bool:
    """Send a value of web-1's load; was it taken? It is not until the server has read its configuration."""
    sender = [zabbix.programs()["zabbix_sender"], "-z", "127.0.0.1", "-p", str(api.port), "-s", "web-1", "-k", "load"]
    said = subprocess.run([*sender, "-o", str(value)], capture_output=True, text=True, check=False, timeout=30)
    return "processed: 1" in said.stdout


# ── What an administrator does, by examples/zabbix/README.md ──────────────────────────────────────────────────


def configure(api: Zabbix, relay: str) -> None:
    media = media_type(api, relay)
    api.call("usermacro.createglobal", {"macro": "{$ZABBIX.URL}", "value": "https://zabbix.example.com"})
    user = {
        "username": "oncall",
        "passwd": "Correct-Horse-9",
        "roleid": SUPER_ADMIN,
        "usrgrps": [{"usrgrpid": ADMINISTRATORS}],
    }
    told = api.made("user.create", "userids", user | {"medias": [{"mediatypeid": media, "sendto": "ivan"}]})
    host = api.made("host.create", "hostids", {"host": "web-1", "groups": [{"groupid": HOSTGROUP}]})
    api.made(
        "item.create",
        "itemids",
        {"hostid": host, "key_": "load", "name": "Load", "type": TRAPPER, "value_type": NUMBER},
    )
    api.made(
        "trigger.create",
        "triggerids",
        {
            "description": "Load is {ITEM.VALUE} on {HOST.NAME}",
            "expression": "last(/web-1/load)>90",
            "priority": HIGH,
            "tags": [{"tag": "team", "value": "ops"}],
        },
    )
    send: dict[str, Any] = {"operationtype": 0, "opmessage": {"default_msg": 1, "mediatypeid": media}}
    send["opmessage_usr"] = [{"userid": told}]
    operations = ("operations", "recovery_operations", "update_operations")
    action = {"name": "Tell the relay", "eventsource": 0, **{name: [send] for name in operations}}
    api.made("action.create", "actionids", action)


def media_type(api: Zabbix, relay: str) -> str:
    """Import the file as it is, then set the relay's address and token in it."""
    create = {"createMissing": True, "updateExisting": True}
    api.call(
        "configuration.import", {"format": "yaml", "source": MEDIA_TYPE.read_text(), "rules": {"mediaTypes": create}}
    )
    (made,) = api.call("mediatype.get", {"output": "extend"})
    set_to = {"relay_url": relay, "relay_token": TOKEN}
    parameters = [one | {"value": set_to.get(one["name"], one["value"])} for one in made["parameters"]]
    api.call("mediatype.update", {"mediatypeid": made["mediatypeid"], "parameters": parameters})
    return str(made["mediatypeid"])

"""A real Prometheus and a real Alertmanager fire and resolve a rule through the relay into the stand-in portal."""

from __future__ import annotations

import json
import shutil
import threading
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from relay.sandbox import Portal, serve
from relay.settings import Secret
from tests.conftest import absent
from tests.line.conftest import TOKEN, until
from tests.line.processes import Relay, free_port, program

RULES = """\
version: 1
portal: {portal}
sources:
  alertmanager: {{type: alertmanager, bearer: {token}}}
people:
  ivan: {{id: 17, locale: en}}
rules:
  - {{when: {{source: alertmanager, labels.severity: critical}}, to: ivan}}
default: drop
"""

PROMETHEUS = """\
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: [alerts.yml]
scrape_configs:
  - {{job_name: disk, static_configs: [{{targets: ["127.0.0.1:{metrics}"]}}]}}
alerting:
  alertmanagers: [{{static_configs: [{{targets: ["127.0.0.1:{alertmanager}"]}}]}}]
"""

ALERTS = """\
groups:
  - name: disk
    rules:
      - alert: DiskWillFill
        expr: disk_used_percent > 90
        labels: {severity: critical}
        annotations: {summary: "The disk is {{ $value }} % full"}
"""

ALERTMANAGER = """\
route: {{receiver: relay, group_by: [alertname], group_wait: 1s, group_interval: 1s, repeat_interval: 1h}}
receivers:
  - name: relay
    webhook_configs:
      - url: {url}/in/alertmanager
        http_config: {{authorization: {{credentials: {token}}}}}
"""


class Disk:
    """A metrics page with one number on it."""

    def __init__(self) -> None:
        self.used = 95

        disk = self

        class Page(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.end_headers()
                self.wfile.write(f"disk_used_percent {disk.used}\n".encode())

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.mark.senders
@pytest.mark.parametrize(("mode", "notifications"), [("token", 1), ("webhook", 2)])
def test_an_alert_that_fires_and_resolves(tmp_path: Path, mode: str, notifications: int) -> None:
    prometheus = shutil.which("prometheus") or absent("Prometheus", "install Debian's package prometheus")
    alertmanager = shutil.which("prometheus-alertmanager") or absent(
        "Alertmanager", "install Debian's package prometheus-alertmanager"
    )
    assert prometheus
    assert alertmanager
    portal, disk = Portal(), Disk()
    with ExitStack() as stack:
        server = stack.enter_context(serve(portal))
        way_in = {"domain": server.url, "token": portal.token} if mode == "token" else {"webhook": server.webhook}
        database = Secret(f"sqlite:///{tmp_path}/relay.db")
        relay = Relay(tmp_path, RULES.format(portal=json.dumps(way_in), token=TOKEN), database)
        stack.callback(relay.end)
        relay.start()
        am_port, pr_port = free_port(), free_port()
        write(tmp_path / "am.yml", ALERTMANAGER.format(url=relay.url, token=TOKEN))
        write(tmp_path / "alerts.yml", ALERTS)
        ports = {"metrics": disk.server.server_port, "alertmanager": am_port}
        write(tmp_path / "pr.yml", PROMETHEUS.format(**ports))
        stack.enter_context(
            program(
                [alertmanager, f"--config.file={tmp_path}/am.yml", f"--storage.path={tmp_path}/am",
                 f"--web.listen-address=127.0.0.1:{am_port}", "--cluster.listen-address="],
                tmp_path / "am.log",
            )
        )  # fmt: skip
        stack.enter_context(
            program(
                [prometheus, f"--config.file={tmp_path}/pr.yml", f"--storage.tsdb.path={tmp_path}/pr",
                 f"--web.listen-address=127.0.0.1:{pr_port}", "--rules.alert.resend-delay=1s"],
                tmp_path / "pr.log",
            )
        )  # fmt: skip

        until(lambda: any("95 % full" in text for text in texts(portal)), patience=60)
        disk.used = 40
        until(lambda: any("resolved" in text.lower() for text in texts(portal)), patience=60)

        assert len(texts(portal)) == notifications
    disk.server.shutdown()
    disk.server.server_close()


def write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def texts(portal: Portal) -> list[str]:
    return [notification.text for notification in portal.notifications(17)]

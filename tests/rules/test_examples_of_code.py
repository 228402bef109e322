"""The rules that the examples of monitoring and of code show can be used as they stand."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from relay.rules.lint import check

EXAMPLES = Path(__file__).parent.parent.parent / "examples"
FRAME = {
    "version": "1",
    "portal": "{webhook: '${BITRIX24_WEBHOOK_URL}'}",
    "people": "{ivan: {id: 17}}",
    "teams": "{backend: [ivan]}",
    "default": "drop",
}


@pytest.mark.parametrize(
    "name", ["github", "alertmanager", "grafana", "gitlab", "gitea", "sentry", "jenkins", "buildbot"]
)
def test_the_rules_of_an_example_have_no_fault(name: str) -> None:
    (written,) = re.findall(r"^```yaml\n(.*?)^```", (EXAMPLES / name / "README.md").read_text("utf-8"), re.S | re.M)
    rest = [f"{section}: {value}" for section, value in FRAME.items() if f"\n{section}:" not in written]
    environment = dict.fromkeys(re.findall(r"\$\{(\w+)\}", written), "s3cret")
    environment["BITRIX24_WEBHOOK_URL"] = "https://acme.bitrix24.ru/rest/1/abcdefghijkl/"

    checked = check("\n".join((written, *rest, "")), env=environment)

    assert [str(complaint) for complaint in checked.complaints] == []

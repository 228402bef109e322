"""A short chaos in every run of the tests; the long one is `make chaos`."""

from __future__ import annotations

from pathlib import Path

import pytest

from relay.settings import Secret
from tests.line.chaos import Plan, run


@pytest.mark.timeout(300)
def test_killed_and_failed_at_random_it_keeps_every_promise(tmp_path: Path, database_url: Secret) -> None:
    report = run(Plan(seconds=15, least=150, portals=6, keys=6), database_url.reveal(), tmp_path)

    assert report.holds(), report.as_text()
    assert report.storm.kills.total() >= 3  # or nothing was put to the test

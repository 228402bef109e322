"""A short chaos in every run of the tests; the long one is `make chaos`."""

from __future__ import annotations

from pathlib import Path

import pytest

from relay.settings import Secret
from tests.line.chaos import Plan, run


@pytest.mark.timeout(300)
def test_killed_and_failed_at_random_nothing_is_lost_overtaken_or_seen_twice(
    tmp_path: Path, database_url: Secret
) -> None:
    report = run(Plan(seconds=15, portals=6, keys=6), database_url.reveal(), tmp_path)

    assert report.holds(), report.as_line()
    assert report.kills >= 3
    assert report.acknowledged > 100
    # At least once: what comes twice was in a call whose end nobody learnt, one message of each key at the most.
    assert report.twice <= (report.kills + report.faults) * 36

"""Moments: RFC 3339 stays, Unix time becomes it, and what has no zone is none."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.sources.moments import moment, rfc3339, unix


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("2026-11-23T07:04:38Z", "2026-11-23T07:04:38Z"),
        ("2026-11-23T07:04:38.5+03:00", "2026-11-23T07:04:38.5+03:00"),
        ("1795417478", "2026-11-23T07:04:38+00:00"),
        ("1795417478.5", "2026-11-23T07:04:38.500000+00:00"),
        ("1795417478000", "2026-11-23T07:04:38+00:00"),
        ("0", "1970-01-01T00:00:00+00:00"),
        ("2026-11-23T07:04:38", ""),
        ("2026-11-23 07:04:38", ""),
        ("0001-01-01T00:00:00Z", ""),
        ("20261123", "1970-08-23T12:05:23+00:00"),
        ("17954174781", ""),
        ("99999999999999", ""),
        ("-1", ""),
        ("١٧٩٥", ""),
        ("soon", ""),
        ("", ""),
    ],
)
def test_a_moment_is_rfc_3339_or_nothing(said: str, found: str) -> None:
    assert moment(said) == found


@given(st.text(alphabet="0123456789.-:TZ+ ٣", max_size=30))
def test_any_text_is_a_moment_or_nothing(said: str) -> None:
    for read in (moment, rfc3339, unix):
        found = read(said)
        assert not found or datetime.fromisoformat(found).tzinfo is not None

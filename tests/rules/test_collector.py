"""The garbage collector rests while rules are read, and is what it was afterwards."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from relay.errors import BadRules
from relay.rules import load
from relay.rules.collector import resting
from tests.rules.books import ENV, HEAD


@pytest.fixture(autouse=True)
def on() -> Iterator[None]:
    assert gc.isenabled()
    yield
    gc.enable()


def test_it_rests_and_goes_on() -> None:
    with resting():
        assert not gc.isenabled()

    assert gc.isenabled()


def test_it_goes_on_after_a_file_that_is_refused() -> None:
    with pytest.raises(BadRules):
        load("version: [", env=ENV)

    assert gc.isenabled()


def test_it_stays_off_where_it_was_off() -> None:
    gc.disable()

    load(HEAD + "rules: []", env=ENV)

    assert not gc.isenabled()


def test_what_was_made_is_old_at_once_and_none_of_it_is_kept_from_the_collector() -> None:
    with resting():
        made = [[number] for number in range(5_000)]

    young = {id(each) for generation in (0, 1) for each in gc.get_objects(generation)}
    assert not any(id(each) in young for each in made)
    assert gc.get_freeze_count() == 0


def test_what_was_frozen_before_stays_so() -> None:
    gc.freeze()
    try:
        with resting():
            pass
        assert gc.get_freeze_count() > 0
    finally:
        gc.unfreeze()

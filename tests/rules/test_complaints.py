"""Every fault is told at its line and column, in a sentence, together with all the others."""

from __future__ import annotations

from pathlib import Path

import pytest

from relay.errors import BadRules
from relay.rules import load
from tests.rules.books import ENV, HEAD

HERE = Path(__file__).parent
BAD = sorted((HERE / "bad").glob("*.yaml"))
GOOD = sorted((HERE / "good").glob("*.yaml"))


def expected(text: str, name: str) -> list[str]:
    """The complaints that a file says of itself, in comments that begin with `#! `."""
    return [f"{name}:{line[3:]}" for line in text.splitlines() if line.startswith("#! ")]


@pytest.mark.parametrize("path", BAD, ids=lambda path: path.stem)
def test_a_bad_file_is_complained_of_exactly_as_it_says(path: Path) -> None:
    text = path.read_text(encoding="utf-8")

    with pytest.raises(BadRules) as caught:
        load(text, env=ENV, file=path.name)

    assert str(caught.value).splitlines() == expected(text, path.name)


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_a_good_file_loads_with_only_the_warnings_that_it_says(path: Path) -> None:
    text = path.read_text(encoding="utf-8")

    rules = load(text, env=ENV, file=path.name)

    assert [str(warning) for warning in rules.warnings] == expected(text, path.name)


def test_no_complaint_shows_a_secret_however_misplaced() -> None:
    secret = "hunter2-hunter2"
    text = f"""
    version: {secret}
    portal: {{webhook: {secret}, plan: {secret}, insecure: {secret}, {secret}: 1}}
    sources:
      github: {{type: github, secret: {{x: {secret}}}, open: {secret}, max_body: {secret}}}
      alerts: {{type: alertmanager, bearer: [], basic: {secret}, per: {secret}}}
      other: {{type: {secret}}}
    """

    with pytest.raises(BadRules) as caught:
        load(text.replace(f", {secret}: 1", ""), env={})

    assert len(caught.value.complaints) >= 8
    assert secret not in str(caught.value)


def test_a_missing_variable_is_complained_of_once_and_not_for_what_follows_from_it() -> None:
    text = HEAD.replace("${TOKEN}", "${NOT_SET}").replace("id: 17", "id: ${NOT_SET}")

    with pytest.raises(BadRules) as caught:
        load(text, env=ENV)

    assert [complaint.path for complaint in caught.value.complaints if complaint.level == "error"] == [
        "portal.token",
        "people.ivan.id",
    ]


def test_warnings_alone_do_not_refuse_the_file() -> None:
    rules = load(HEAD.replace("${TOKEN}", "clear-text"), env=ENV)

    assert [warning.path for warning in rules.warnings] == ["portal.token"]

"""Whatever a script sends, within what it was promised and beside it, is answered as promised, and never fails."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, Phase, given, settings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of libraries that it brings
    import schemathesis
    from schemathesis import GenerationMode

from relay.house import House
from relay.model import Dead
from tests.web.pages.conftest import ADMIN_TOKEN, bearer, decide, post, send

EXAMPLES = 5  # of each operation, as promised and not
few = settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture
def promised(app: Flask, built: House, site: FlaskClient) -> Any:
    """The document of a relay that has an event to be asked for."""
    post(site, {"event": "alarm", "title": "disk"})
    decide(built)
    send(built, Dead("ERROR", "no"))
    return schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app, headers=bearer(ADMIN_TOKEN))


def test_no_request_that_the_document_allows_or_forbids_makes_it_fail(promised: Any) -> None:
    seen: dict[tuple[str, str], list[int]] = {}
    for found in promised.get_all_operations():
        operation = found.ok()
        seen[operation.method.upper(), operation.path] = [
            *_answers(operation, GenerationMode.POSITIVE),
            *_answers(operation, GenerationMode.NEGATIVE),
        ]

    assert max(status for statuses in seen.values() for status in statuses) < 500, seen
    for place in (("GET", "/api/v1/events"), ("GET", "/api/v1/events/{number}")):
        assert 200 in seen[place]  # an answer that was held against its promise


def _answers(operation: Any, mode: GenerationMode) -> list[int]:
    """The statuses of a few requests; each answer that is good must be what was promised."""
    statuses: list[int] = []

    @few
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: Any) -> None:
        if mode is GenerationMode.POSITIVE and "number" in case.path_parameters:
            case.path_parameters["number"] = 1  # what there is
        answer = case.call(headers=bearer(ADMIN_TOKEN))
        statuses.append(answer.status_code)
        if answer.status_code == 200:
            operation.validate_response(answer)

    ask()
    return statuses

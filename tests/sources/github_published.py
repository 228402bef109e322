"""What GitHub has published of its webhooks: every event and action by name, and example payloads.

Holds nothing of it: both are npm packages, read where they were installed.

npm install --ignore-scripts @octokit/webhooks-examples @octokit/openapi-webhooks
RELAY_OCTOKIT_EXAMPLES=node_modules/@octokit/webhooks-examples/api.github.com/index.json
RELAY_OCTOKIT_OPENAPI=node_modules/@octokit/openapi-webhooks/generated/api.github.com.json
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.conftest import absent

Pair = tuple[str, str]  # an event and its action, "" for one without actions


def examples() -> list[tuple[str, dict[str, Any]]]:
    """Every example payload with its event's name."""
    groups = _read("@octokit/webhooks-examples", "RELAY_OCTOKIT_EXAMPLES", "index.json")
    return [(group["name"], payload) for group in groups for payload in group["examples"]]


def pairs_of_examples() -> set[Pair]:
    return {(event, payload.get("action") or "") for event, payload in examples()}


def pairs() -> set[Pair]:
    """Every event and action of the OpenAPI description. `repository_dispatch` has the caller's own actions."""
    document = _read("@octokit/openapi-webhooks", "RELAY_OCTOKIT_OPENAPI", "api.github.com.json")
    schemas = document["components"]["schemas"]
    return {
        (webhook["post"]["operationId"].partition("/")[0].replace("-", "_"), action)
        for webhook in document["webhooks"].values()
        for action in _actions(webhook["post"]["requestBody"]["content"]["application/json"]["schema"], schemas)
    }


def _actions(schema: dict[str, Any], schemas: dict[str, Any]) -> set[str]:
    return set(_enum(schema, schemas)) or {""}


def _enum(schema: dict[str, Any], schemas: dict[str, Any]) -> Iterator[str]:
    while "$ref" in schema:
        schema = schemas[schema["$ref"].rpartition("/")[2]]
    for alternative in [*schema.get("oneOf", ()), *schema.get("anyOf", ()), *schema.get("allOf", ())]:
        yield from _enum(alternative, schemas)
    yield from schema.get("properties", {}).get("action", {}).get("enum", ())


def _read(package: str, variable: str, file: str) -> Any:
    where = os.environ.get(variable) or absent(
        package, f"npm install --ignore-scripts {package}, and set {variable} to its {file}"
    )
    return json.loads(Path(where).read_text(encoding="utf-8"))

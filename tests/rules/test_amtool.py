"""Alertmanager's own `amtool` as the judge: random trees and label sets must reach the same receivers.

The generated trees come from fixed seeds, so a failure can be run again.
"""

from __future__ import annotations

import json
import random
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from relay.model import Event
from relay.rules import Memory, Rules, decide, load
from tests.conftest import absent
from tests.rules.books import ENV, NOW

AMTOOL = shutil.which("amtool")

NAMES = ("team", "severity", "env")
VALUES = ("", "db", "dba", "web1", "info")
PATTERNS = ("db.*", "db|web1", "", ".+", "^db$", "[a-z]+", "d?b", "(db|info)?")
TREES, LABEL_SETS = 30, 6  # of one forest; every forest is one configuration


@dataclass
class Route:
    """One node of a tree: its receiver's number is its own."""

    receiver: int
    matchers: list[str]
    goes_on: bool
    routes: list[Route] = field(default_factory=list)

    def every(self) -> list[Route]:
        return [self, *(each for route in self.routes for each in route.every())]


def forest(seed: int) -> list[Route]:
    """Trees under one root: each goes on to the next, so that one question asks all of them."""
    chance = random.Random(seed)
    numbers = iter(range(1, 100_000))

    def matcher() -> str:
        operator = chance.choice(("=", "!=", "=~", "!~"))
        value = chance.choice(PATTERNS if "~" in operator else VALUES)
        return f'{chance.choice(NAMES)}{operator}"{value}"'

    def route(depth: int) -> Route:
        matchers = [matcher() for _ in range(chance.choice((0, 1, 1, 1, 2)))]
        node = Route(next(numbers), matchers, goes_on=chance.random() < 0.4)
        if depth < 4:
            node.routes = [route(depth + 1) for _ in range(chance.choice((0, 1, 2, 3)))]
        return node

    trees = [route(1) for _ in range(TREES)]
    for tree in trees:
        tree.goes_on = True
    return trees


def label_sets(seed: int) -> list[dict[str, str]]:
    chance = random.Random(-seed)
    chosen = [{name: chance.choice(VALUES) for name in NAMES if chance.random() < 0.7} for _ in range(LABEL_SETS)]
    return [{name: value for name, value in labels.items() if value} for labels in chosen]


def as_alertmanager(trees: list[Route]) -> dict[str, Any]:
    def node(route: Route) -> dict[str, Any]:
        return {
            "receiver": str(route.receiver),
            "matchers": route.matchers,
            "continue": route.goes_on,
            "routes": [node(each) for each in route.routes],
        }

    receivers = [0, *(each.receiver for tree in trees for each in tree.every())]
    root = {"receiver": "0", "routes": [node(tree) for tree in trees]}
    return {"route": root, "receivers": [{"name": str(number)} for number in receivers]}


def as_rules(trees: list[Route]) -> Rules:
    """The same trees in our language; a receiver is the portal id one higher, for ids count from 1."""

    def node(route: Route) -> dict[str, Any]:
        return {
            "when": {"match": route.matchers} if route.matchers else {},
            "to": route.receiver + 1,
            "continue": route.goes_on,
            "rules": [node(each) for each in route.routes],
        }

    text = {
        "version": 1,
        "portal": {"domain": "example.bitrix24.ru", "token": "${TOKEN}"},
        "sources": {"alerts": {"type": "alertmanager", "bearer": "${SECRET}"}},
        "rules": [node(tree) for tree in trees],
        "default": {"to": 1},
    }
    return load(json.dumps(text), env=ENV)


def amtool(config: Path, labels: dict[str, str]) -> list[int]:
    """What amtool says. An empty home keeps a configuration of this machine's out of it."""
    command = [str(AMTOOL), "config", "routes", "test", f"--config.file={config}"]
    asked = subprocess.run(
        [*command, *(f"{name}={value}" for name, value in labels.items())],
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
        env={"HOME": str(config.parent)},
    )
    return [int(number) for number in asked.stdout.strip().split(",")]


@pytest.mark.parametrize("seed", range(1, 11))
def test_random_trees_reach_the_receivers_that_amtool_names(seed: int, tmp_path: Path) -> None:
    if AMTOOL is None:
        absent("amtool", "install prometheus-alertmanager, or put its amtool on PATH")
    trees = forest(seed)
    config = tmp_path / "alertmanager.yml"
    config.write_text(json.dumps(as_alertmanager(trees)))  # JSON is YAML
    rules = as_rules(trees)

    for labels in label_sets(seed):
        event = Event(source="alerts", type="alertmanager", event="alert", labels=labels)
        ours = [message.user_id - 1 for message in decide(event, rules, Memory(), NOW).messages]

        assert ours == amtool(config, labels), f"seed {seed}, labels {labels}"

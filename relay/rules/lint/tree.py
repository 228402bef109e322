"""The rules as the linter sees them: each with what it asks itself, and what the rules above it ask as well.

Never judges.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from relay.rules.conditions import Vocabulary
from relay.rules.document import Path
from relay.rules.lint import meaning
from relay.rules.lint.meaning import Meaning
from relay.rules.rulebook import Rule

ANYTHING = Meaning()


@dataclass(frozen=True, slots=True)
class Node:
    """One rule. ``own`` is its condition, ``whole`` that and those of the rules above it; ``data`` is as written."""

    rule: Rule
    path: Path
    data: Mapping[str, Any]
    own: Meaning
    whole: Meaning
    finer: tuple[Node, ...]

    def every(self) -> Iterator[Node]:
        yield self
        for node in self.finer:
            yield from node.every()


def grow(
    data: Sequence[Mapping[str, Any]],
    rules: Sequence[Rule],
    vocabulary: Vocabulary,
    *,
    path: Path = ("rules",),
    above: Meaning = ANYTHING,
) -> tuple[Node, ...]:
    """The nodes of a list of rules: ``data`` as the file has it, and what was made of it."""
    return tuple(
        _node(each, rule, vocabulary, (*path, index), above)
        for index, (each, rule) in enumerate(zip(data, rules, strict=True))
    )


def _node(data: Mapping[str, Any], rule: Rule, vocabulary: Vocabulary, path: Path, above: Meaning) -> Node:
    own = meaning.read(data.get("when", {}), vocabulary, (*path, "when"))
    whole = above & own
    finer = grow(data.get("rules", []), rule.rules, vocabulary, path=(*path, "rules"), above=whole)
    return Node(rule, path, data, own, whole, finer)

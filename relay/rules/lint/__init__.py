"""What is suspicious in rules that can be used: rules that are never asked, names that nobody uses, dead conditions.

Never refuses anything, and never claims what it has not proved: a finding that is wrong is worse than one missed.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from relay.errors import BadRules, Complaint
from relay.rules.conditions import Vocabulary
from relay.rules.document import Document
from relay.rules.including import Gathered, Reader
from relay.rules.lint import names, order, samples, tree
from relay.rules.lint.findings import CODES, Findings, unsilenced
from relay.rules.lint.order import Unreachable
from relay.rules.lint.samples import Fixture
from relay.rules.lint.sent import Senders
from relay.rules.loading import DEFAULT, Draft, draft
from relay.rules.rulebook import Rules

__all__ = ["CODES", "Checked", "Fixture", "check"]


@dataclass(frozen=True, slots=True)
class Checked:
    """Every complaint, in the order of the file; ``rules`` is ``None`` when there are errors among them."""

    complaints: tuple[Complaint, ...]
    rules: Rules | None


def check(
    text: str,
    *,
    env: Mapping[str, str],
    file: str = "rules.yaml",
    reader: Reader | None = None,
    fixtures: Sequence[Fixture] = (),
    ignore: Collection[str] = (),
) -> Checked:
    """Load a rules file and look for what is suspicious in it.

    Args:
        text, env, file, reader: as for :func:`relay.rules.load`.
        fixtures: requests on which the templates are tried.
        ignore: codes of findings that are not wanted.
    """
    try:
        loaded = draft(text, env=env, file=file, reader=reader)
    except BadRules as fault:
        return Checked(tuple(unsilenced(fault.complaints, {file: text}, ignore)), None)
    findings = Findings(file, loaded.document, loaded.values)
    _find(loaded, fixtures, findings)
    texts = {file: text, **_included(loaded.document)}
    findings.bad_comments(texts)
    found = sorted([*loaded.rules.warnings, *findings.found], key=lambda each: (each.file != file, each.file, each))
    return Checked(tuple(unsilenced(found, texts, ignore)), loaded.rules)


def _included(document: Document) -> dict[str, str]:
    homes = document.homes.values() if isinstance(document, Gathered) else ()
    return {home.file: home.document.text for home in homes}


def _find(loaded: Draft, fixtures: Sequence[Fixture], findings: Findings) -> None:
    rules, data = loaded.rules, loaded.data
    vocabulary = rules.vocabulary
    nodes = tree.grow(data.get("rules", []), rules.rules, vocabulary)
    dead = {found.node.rule.path: found for found in order.unreachable(nodes)}
    senders = Senders(rules.sources)
    heard: set[str] = set()
    for node in _living(nodes, dead):
        if not senders.check(node, findings):
            findings.add(
                "contradiction", node.path, "can never match: no source sends what it is for, by source: and type:"
            )
        heard |= set(senders.heard(node.whole))
    for found in dead.values():
        _tell(found, loaded, findings)
    everything = order.takes_everything(nodes)
    if everything is not None and rules.default is not None:
        says = f"is never asked: {everything.rule.name} takes every event; take one of them out"
        findings.add("shadowed", (DEFAULT,), says, key=True)
    for name in rules.sources:
        if name not in heard:
            findings.add(
                "unused-source", ("sources", name), f"no rule is for {name}: its events are the default's, or nobody's"
            )
    names.check_people(data, rules, findings)
    names.check_templates(data, findings)
    names.check_tags(nodes, findings)
    default = _default(loaded, vocabulary)
    samples.check([*nodes, *default], data, samples.understood(fixtures, rules.sources, findings), findings)


def _living(nodes: Sequence[tree.Node], dead: Mapping[str, Unreachable]) -> list[tree.Node]:
    """All rules but those that are never asked, and what is below them."""
    found: list[tree.Node] = []
    for node in nodes:
        if node.rule.path not in dead:
            found += [node, *_living(node.finer, dead)]
    return found


def _default(loaded: Draft, vocabulary: Vocabulary) -> tuple[tree.Node, ...]:
    """The default as a rule, if it is one that tells somebody."""
    own, rule = loaded.data.get(DEFAULT), loaded.rules.default
    if rule is None or not isinstance(own, dict):
        return ()
    (node,) = tree.grow([own], [rule], vocabulary)
    return (tree.Node(rule, (DEFAULT,), own, node.own, node.whole, ()),)


def _tell(found: Unreachable, loaded: Draft, findings: Findings) -> None:
    node = found.node
    if found.by is not None:
        path = tuple(int(step) if step.isdecimal() else step for step in found.by.path.split("."))
        where = f"{loaded.document.file(path) or 'line'} {loaded.document.place(path).line}".replace(
            " ", ":" if loaded.document.file(path) else " "
        )
        says = (
            f"is never asked: {found.by.name} ({where}) takes all that it would; put it before that one,"
            " let that one say continue: true, or take one of them out"
        )
        findings.add("shadowed", node.path, says)
        return
    own = node.own.by_word.get(found.word, ())
    path = own[-1].path if own else (*node.path, "when") if "when" in node.data else node.path
    above = "" if len(own) > 1 or len(node.path) < 3 else " and those of the rules above it"
    findings.add("contradiction", path, f"can never match: its conditions{above} exclude each other on {found.word}")

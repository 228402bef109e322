"""The rules' templates tried on samples: do they fail, are they cut, and is there what they take from the payload?

Never sends or decides anything: the words are made as they are made for a real event.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jinja2 import Environment, TemplateSyntaxError, nodes

from relay.errors import Refused
from relay.model import Event, Request
from relay.render import Reader, Template, compose
from relay.rules.document import Path
from relay.rules.lint.findings import Findings
from relay.rules.lint.meaning import Atom
from relay.rules.lint.tree import Node
from relay.rules.sentences import did_you_mean
from relay.sources import SENDERS
from relay.sources.options import SourceOptions

KIND = ("source", "type", "event", "action")  # by these a rule may be for a sample, whatever else it asks

# Maps whose keys an operator chooses: that a sample has no such label says nothing.
_CHOSEN = ("labels", "annotations", "commonLabels", "commonAnnotations", "groupLabels", "routeLabels", "values", "tags")

EMPTY = "its text came out empty"  # as `relay.render.wording` says it

_parser = Environment(autoescape=True)  # only parses: what is rendered is compiled in the relay's own sandbox


@dataclass(frozen=True, slots=True, kw_only=True)
class Fixture:
    """A request in a file. ``whole``: it has all that its sender sends, so that what it has not is not there."""

    name: str
    request: Request
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Sample:
    """An event of a fixture."""

    fixture: Fixture
    event: Event


def understood(
    fixtures: Iterable[Fixture], sources: Mapping[str, SourceOptions], findings: Findings
) -> tuple[Sample, ...]:
    """The fixtures' events, as the sources read them. A fixture's path names a source, or else a kind of sender."""
    samples: list[Sample] = []
    for fixture in fixtures:
        name = fixture.request.path.rpartition("/")[2]
        names = [name] if name in sources else [each for each, options in sources.items() if options.type == name]
        for source in names:
            options = sources[source]
            try:
                reading = SENDERS[options.type].read(source, options, fixture.request)
            except Refused as fault:
                findings.add("bad-fixture", ("sources", source), f"cannot read the fixture {fixture.name}: {fault}")
                continue
            samples += [Sample(fixture, event) for event in reading.events]
    return tuple(samples)


def check(tree: Sequence[Node], data: Mapping[str, Any], samples: Sequence[Sample], findings: Findings) -> None:
    """Try each template, and each tag that is one, on the samples of the events that its rules may be for."""
    for trial in _trials(tree, data, samples):
        tried = list(trial.samples.values())
        if trial.template is not None:
            _render(trial.path, trial.template, trial.rule, tried, findings)
        whole = [sample for sample in tried if sample.fixture.whole]
        for path, steps in _fields(trial.spec, trial.path) if whole else ():
            _look_for(steps, path, whole, findings)


# ── Which template meets which samples ───────────────────────────────────────────────────────────────────────


@dataclass(slots=True)
class _Trial:
    """One template and the samples of all rules that use it. ``spec`` is as it is written at ``path``."""

    path: Path
    spec: Any
    rule: str
    template: Template | None
    samples: dict[int, Sample]


def _trials(tree: Sequence[Node], data: Mapping[str, Any], samples: Sequence[Sample]) -> Iterable[_Trial]:
    trials: dict[Path, _Trial] = {}
    fitting: dict[tuple[str, ...], dict[int, Sample]] = {}
    for node, path, spec, template in _uses(tree, data.get("templates") or {}):
        trial = trials.setdefault(path, _Trial(path, spec, node.rule.name, template, {}))
        atoms = [atom for atom in node.whole.atoms if atom.word in KIND]
        kind = tuple(sorted(f"{atom.word} {atom.said}" for atom in atoms))
        if kind not in fitting:
            fitting[kind] = {number: each for number, each in enumerate(samples) if _is_for(atoms, each.event)}
        trial.samples |= fitting[kind]
    return trials.values()


def _uses(
    tree: Sequence[Node], templates: Mapping[str, Any], inherited: tuple[Path, Any] | None = None
) -> Iterator[tuple[Node, Path, Any, Template | None]]:
    """Each rule with its template, also an inherited one, and with its own tag."""
    for node in tree:
        own = node.data.get("template")
        used = inherited
        if isinstance(own, str):
            used = (("templates", own), templates.get(own))
        elif own is not None:
            used = ((*node.path, "template"), own)
        if used is not None:
            yield node, *used, node.rule.telling.template
        if "tag" in node.data:
            yield node, (*node.path, "tag"), node.data["tag"], None
        yield from _uses(node.finer, templates, used)


def _is_for(atoms: Sequence[Atom], event: Event) -> bool:
    return all(atom.holds is None or atom.look is None or atom.holds(atom.look(event)) for atom in atoms)


# ── Rendering ────────────────────────────────────────────────────────────────────────────────────────────────


def _render(path: Path, template: Template, rule: str, samples: Sequence[Sample], findings: Findings) -> None:
    """Tell of the first sample on which it fails, and of the first on which it is cut."""
    told: set[str] = set()
    for sample in samples:
        note = compose(sample.event, template, reader=Reader(name="ivan"), rule=rule).note
        code = "template-fails" if note.startswith("the template failed") else "cut"
        if EMPTY in note and not sample.fixture.whole:
            continue
        if note and code not in told:
            told.add(code)
            findings.add(code, path, f"on {sample.fixture.name}: {note}")


# ── Fields of the payload ────────────────────────────────────────────────────────────────────────────────────


def _fields(spec: Any, path: Path) -> Iterator[tuple[Path, tuple[str, ...]]]:
    """Every `event.payload.…` that a template names, with the place of the text that names it."""
    if isinstance(spec, dict):
        for key, each in spec.items():
            yield from _fields(each, (*path, key))
    elif isinstance(spec, list):
        for index, each in enumerate(spec):
            yield from _fields(each, (*path, index))
    elif isinstance(spec, str) and "payload" in spec:
        source = "{% set result = (" + spec + ") %}" if path[-1] == "each" else spec
        yield from ((path, steps) for steps in dict.fromkeys(_named(source)))


def _named(source: str) -> Iterator[tuple[str, ...]]:
    try:
        tree = _parser.parse(source)
    except TemplateSyntaxError:  # has been complained of at loading
        return
    inner: set[int] = set()
    for node in tree.find_all((nodes.Getattr, nodes.Getitem)):
        steps = _steps(node, inner)
        if id(node) not in inner and steps[:2] == ("event", "payload") and len(steps) > 2:
            yield steps[2:]


def _steps(node: nodes.Node, inner: set[int]) -> tuple[str, ...]:
    """The path that is written out, as far as it is: of `event.payload.commits[i].id`, `commits`."""
    if isinstance(node, nodes.Name):
        return (node.name,)
    if not isinstance(node, nodes.Getattr | nodes.Getitem):
        return ("",)
    inner.add(id(node.node))
    before = _steps(node.node, inner)
    if isinstance(node, nodes.Getattr):
        return (*before, node.attr)
    if isinstance(node.arg, nodes.Const) and isinstance(node.arg.value, str | int):
        return (*before, str(node.arg.value))
    return (*before, "")


def _look_for(steps: Sequence[str], path: Path, samples: Sequence[Sample], findings: Findings) -> None:
    """Find a step at which every sample ends. What is null, or of the operator's choosing, ends nothing."""
    siblings: set[str] = set()
    missing = ""
    for sample in samples:
        missing, beside = _end(sample.event, steps)
        if not missing:
            return
        siblings |= beside
    names = ", ".join(sorted({sample.fixture.name for sample in samples})[:3])
    hint = did_you_mean(missing, siblings)
    says = f"event.payload.{'.'.join(filter(None, steps))}: there is no {missing} in {names}{hint}"
    findings.add("no-such-field", path, says)


def _end(event: Event, steps: Sequence[str]) -> tuple[str, set[str]]:
    """The first step that the payload does not have, and the keys that it has beside; ``""`` if it has them all."""
    value = event.payload
    for step in steps:
        if not step or value is None or isinstance(value, list) or not isinstance(value, dict):
            return "", set()
        if step not in value:
            return _missing(step, value)
        value = value[step]
        if step in _CHOSEN:
            return "", set()
    return "", set()


def _missing(step: str, value: Mapping[str, Any]) -> tuple[str, set[str]]:
    method = re.fullmatch("get|items|keys|values", step)  # what a template may call of an object
    return ("", set()) if method else (step, set(value))

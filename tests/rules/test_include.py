"""Several files are one rules file: merged in a stated order, and every complaint names the right one of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatch

import pytest

from relay.errors import BadRules
from relay.rules import Rules, load
from relay.rules.including import MAX_DEPTH, CannotInclude, Found, is_pattern
from tests.rules.books import ENV

MAIN = """\
version: 1
include: {include}
portal: {{domain: example.bitrix24.ru, token: "${{TOKEN}}"}}
sources: {{github: {{type: github, secret: "${{SECRET}}"}}}}
{rest}
"""
PEOPLE = "people: {ivan: {id: 17}, olga: {id: 18}}\nteams: {backend: [ivan, olga]}\n"
NOTHING = "default: drop"

Files = Mapping[str, str]


def loaded(include: str, files: Files, rest: str = NOTHING) -> Rules:
    """The main file, `rules.yaml`, and others beside it in a folder that is on no disk."""
    folder = {"rules.yaml": MAIN.format(include=include, rest=rest), **files}

    def read(pattern: str, beside: str) -> Sequence[Found]:
        assert beside in folder
        if not is_pattern(pattern) and pattern not in folder:
            raise CannotInclude(f"there is no file {pattern}")
        return [Found(name, text) for name, text in sorted(folder.items()) if fnmatch(name, pattern)]

    return load(folder["rules.yaml"], env={**ENV, "EXTRA": "people.yaml"}, reader=read)


def complaints(include: str, files: Files, rest: str = NOTHING) -> list[str]:
    with pytest.raises(BadRules) as caught:
        loaded(include, files, rest)
    return str(caught.value).splitlines()


def test_sections_of_other_files_are_as_if_they_stood_here() -> None:
    rules = loaded(
        "[people.yaml, rules.d/*.yaml]",
        {
            "people.yaml": PEOPLE,
            "rules.d/b.yaml": "rules: [{name: third, to: team/backend, template: t}]\ntemplates: {t: {text: x}}",
            "rules.d/a.yaml": "version: 1\nrules: [{name: second, to: olga}]",
        },
        "people: {nina: {id: 20}}\nrules: [{name: first, to: nina, continue: true}]\ndefault: {to: ivan}",
    )

    assert [*rules.people] == ["nina", "ivan", "olga"]
    assert [rule.name for rule in rules.every()] == ["first", "second", "third", "default"]
    assert [rule.path for rule in rules.rules] == ["rules.0", "rules.1", "rules.2"]
    assert rules.warnings == ()


def test_a_files_own_rules_come_before_those_that_it_includes() -> None:
    rules = loaded(
        "[a.yaml, d.yaml]",
        {
            "a.yaml": "include: [b.yaml, c.yaml]\nrules: [{name: a, to: []}]",
            "b.yaml": "rules: [{name: b, to: []}]",
            "c.yaml": "rules: [{name: c, to: []}]",
            "d.yaml": "rules: [{name: d, to: []}]",
        },
        "rules: [{name: main, to: []}]\npeople: {ivan: {id: 17}}",
    )

    assert [rule.name for rule in rules.rules] == ["main", "a", "b", "c", "d"]


@pytest.mark.parametrize(
    "include", ["people.yaml", "[people.yaml]", "${EXTRA}", '["${EXTRA}"]', '"peo*.yaml"', '"*.yaml"']
)
def test_a_file_is_named_by_its_path_a_pattern_or_the_environment(include: str) -> None:
    assert [*loaded(include, {"people.yaml": PEOPLE}).people] == ["ivan", "olga"]


def test_portals_and_sources_are_merged_too() -> None:
    rules = loaded(
        "more.yaml", {"more.yaml": "sources: {hook: {type: json, bearer: '${SECRET}'}}\npeople: {ivan: {id: 17}}"}
    )

    assert [*rules.sources] == ["github", "hook"]


@pytest.mark.parametrize(
    ("include", "files", "expected"),
    [
        (
            "people.yaml",
            {"people.yaml": "people:\n  ivan: {id: 17}\n  olga: {id: 18, emial: x}\n"},
            ["people.yaml:3:18: people.olga.emial: unknown key emial; did you mean email?"],
        ),
        (
            "[a.yaml, b.yaml]",
            {"a.yaml": PEOPLE, "b.yaml": "people:\n  ivan: {id: 21}\n"},
            ["b.yaml:2:3: people.ivan: is also at a.yaml:1:10: one of them has to go"],
        ),
        (
            "a.yaml",
            {"a.yaml": f"{PEOPLE}sources:\n  github: {{type: json}}\n"},
            ["a.yaml:4:3: sources.github: is also at rules.yaml:4:11: one of them has to go"],
        ),
        (
            "[people.yaml, rules.yml]",
            {
                "people.yaml": PEOPLE,
                "rules.yml": "rules:\n  - {to: ivan}\n  - when:\n      if: titel == 'x'\n    to: team/backnd\n",
            },
            [
                "rules.yml:4:11: rules.1.when.if: unknown word titel; did you mean title?",
                "rules.yml:5:9: rules.1.to: no team is called backnd; did you mean backend?",
            ],
        ),
        ("a.yaml", {"a.yaml": "people: [ivan"}, ["a.yaml:2:1: this is not YAML"]),
        ("a.yaml", {"a.yaml": "- ivan"}, ["a.yaml:1:1: must be a mapping of sections"]),
        ("a.yaml", {"a.yaml": "people: {ivan: {id: 1}, ivan: {id: 2}}"}, ["a.yaml:1:25: people.ivan: is here twice"]),
        (
            "a.yaml",
            {"a.yaml": "people:\n  ivan: {id: }\nteams:"},
            ["a.yaml:2:10: people.ivan.id: has no value", "a.yaml:3:1: teams: has no value"],
        ),
        (
            "a.yaml",
            {"a.yaml": "people: {ivan: {id: 1, email: '${NO}'}}"},
            ["a.yaml:1:31: people.ivan.email: the environment has no NO"],
        ),
        ("a.yaml", {"a.yaml": "version: 2"}, ["a.yaml:1:10: version: must be 1"]),
        ("a.yaml", {"a.yaml": "poeple: {}"}, ["a.yaml:1:1: poeple: unknown section poeple; did you mean people?"]),
        ("a.yaml", {"a.yaml": "sources: []"}, ["a.yaml:1:10: sources: must be a mapping (name: …)"]),
        ("a.yaml", {"a.yaml": "default: drop"}, ["a.yaml:1:1: default: stands in the main file alone"]),
        ("a.yaml", {"a.yaml": "portal: {}"}, ["a.yaml:1:1: portal: stands in the main file alone: here, use portals:"]),
        ("nope.yaml", {}, ["rules.yaml:2:10: include: there is no file nope.yaml"]),
        (
            "[1, {a: b}]",
            {},
            ["rules.yaml:2:11: include.0: must be a file", "rules.yaml:2:14: include.1: must be a file"],
        ),
        ("${NO}", {}, ["rules.yaml:2:10: include: the environment has no NO"]),
        ("rules.yaml", {}, ["rules.yaml:2:10: include: includes itself"]),
        ("[a.yaml, a.yaml]", {"a.yaml": PEOPLE}, ["rules.yaml:2:19: include.1: is included already, by rules.yaml"]),
        (
            "a.yaml",
            {"a.yaml": "include: b.yaml", "b.yaml": "include: [a.yaml]"},
            ["b.yaml:1:11: include.0: is included already, by rules.yaml"],
        ),
        ("a.yaml", {"a.yaml": "include: b.yaml"}, ["a.yaml:1:10: include: there is no file b.yaml"]),
    ],
)  # fmt: skip
def test_a_complaint_names_the_file_and_place(include: str, files: Files, expected: Sequence[str]) -> None:
    found = complaints(include, files)

    assert len(found) == len(expected), found
    for line, start in zip(sorted(found), sorted(expected), strict=True):
        assert line.startswith(start)


def test_a_pattern_that_means_nothing_yet_is_a_warning() -> None:
    rules = loaded('[people.yaml, "rules.d/*.yaml"]', {"people.yaml": PEOPLE})

    assert [str(warning) for warning in rules.warnings] == [
        "rules.yaml:2:24: warning: include.1: no file is called so, yet"
    ]


def test_a_pattern_may_mean_the_file_that_says_it_and_files_that_were_named_before() -> None:
    rules = loaded('[b.yaml, "*.yaml"]', {"a.yaml": PEOPLE, "b.yaml": "people: {nina: {id: 20}}"})

    assert [*rules.people] == ["nina", "ivan", "olga"]


def test_inclusion_has_an_end() -> None:
    chain = {f"{number}.yaml": f"include: {number + 1}.yaml" for number in range(MAX_DEPTH + 5)}

    (complaint,) = complaints("0.yaml", chain)
    assert complaint.startswith(f"{MAX_DEPTH - 1}.yaml:1:10: include: is the {MAX_DEPTH + 1}th file")


def test_where_there_are_no_files_nothing_can_be_included() -> None:
    with pytest.raises(BadRules, match=r"^rules.yaml:2:10: include: cannot be followed here"):
        load(MAIN.format(include="people.yaml", rest=PEOPLE), env=ENV)


def test_two_rules_of_one_name_in_two_files_are_found() -> None:
    (complaint,) = complaints(
        "a.yaml", {"a.yaml": "rules: [{name: x, to: []}]"}, "rules: [{name: x, to: []}]\npeople: {ivan: {id: 1}}"
    )

    assert complaint.startswith("a.yaml:1:16: rules.1.name: x is also the name of rules.0")

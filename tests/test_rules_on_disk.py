"""Included files are read from beside the one that says so, and whatever changes about them is noticed."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from relay.errors import BadRules
from relay.house import RulesFile, read_rules
from relay.rules.document import MAX_BYTES

MAIN = """\
version: 1
include: [people.yaml, "rules.d/*.yaml"]
portal: {webhook: "https://example.bitrix24.ru/rest/1/${TOKEN}/"}
sources: {github: {type: github, secret: "${TOKEN}"}}
default: drop
"""
ENV = {"TOKEN": "abcdefgh"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder whose name looks like a pattern, as any name may."""
    folder = tmp_path / "etc[1]"
    (folder / "rules.d").mkdir(parents=True)
    (folder / "rules.yaml").write_text(MAIN)
    (folder / "people.yaml").write_text("people: {ivan: {id: 17}}\n")
    (folder / "rules.d" / "a.yaml").write_text("rules: [{name: a, to: ivan}]\n")
    return folder


def names(rules_file: RulesFile) -> list[str]:
    return [rule.name for rule in rules_file.current.rules]


def test_paths_are_relative_to_the_file_that_says_them(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / "rules.d" / "a.yaml").write_text("include: ../more/b.yaml\n")
    (folder / "more").mkdir()
    (folder / "more" / "b.yaml").write_text("rules: [{name: b, to: ivan}]\n")

    assert names(RulesFile(folder / "rules.yaml", ENV)) == ["b"]
    monkeypatch.chdir(folder)
    assert names(RulesFile(Path("rules.yaml"), ENV)) == ["b"]


def test_a_path_may_be_absolute_and_a_link_be_followed(folder: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere.yaml"
    elsewhere.write_text("rules: [{name: elsewhere, to: ivan}]\n")
    (folder / "rules.d" / "b.yaml").symlink_to(elsewhere)
    (folder / "people.yaml").write_text(f"people: {{ivan: {{id: 17}}}}\ninclude: {tmp_path}/else*.yml\n")
    elsewhere.with_suffix(".yml").write_text("rules: [{name: absolute, to: ivan}]\n")

    assert names(RulesFile(folder / "rules.yaml", ENV)) == ["absolute", "a", "elsewhere"]


def replaced(make: Callable[[Path], object]) -> Callable[[Path], object]:
    def replace(path: Path) -> None:
        path.unlink()
        make(path)

    return replace


def written(name: str, text: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_text(text)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        pytest.param(written("rules.d/a.yaml", "rules: [{name: other, to: ivan}]"), ["other"], id="changed"),
        pytest.param(written("rules.d/b.yaml", "rules: [{name: b, to: ivan}]"), ["a", "b"], id="added"),
        pytest.param(lambda folder: (folder / "rules.d" / "a.yaml").unlink(), [], id="removed"),
        pytest.param(
            lambda folder: (folder / "rules.d" / "a.yaml").rename(folder / "rules.d" / "z.yaml"), ["a"], id="renamed"
        ),
        pytest.param(written("rules.yaml", MAIN.replace(', "rules.d/*.yaml"', "")), [], id="no longer included"),
    ],
)
def test_a_change_of_any_file_is_noticed_once(
    folder: Path, change: Callable[[Path], object], expected: list[str]
) -> None:
    rules_file = RulesFile(folder / "rules.yaml", ENV)
    assert not rules_file.refresh()

    change(folder)

    assert rules_file.refresh()
    assert names(rules_file) == expected
    assert not rules_file.refresh()


def test_what_is_no_longer_included_is_no_longer_looked_at(folder: Path) -> None:
    rules_file = RulesFile(folder / "rules.yaml", ENV)
    (folder / "rules.yaml").write_text(MAIN.replace(', "rules.d/*.yaml"', ""))
    assert rules_file.refresh()

    (folder / "rules.d" / "b.yaml").write_text("rules: []")

    assert not rules_file.refresh()


def test_a_bad_included_file_leaves_the_good_rules_till_it_is_mended(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rules_file = RulesFile(folder / "rules.yaml", ENV)
    (folder / "rules.d" / "a.yaml").write_text("rules: [{name: b, to: nobody}]")

    assert not rules_file.refresh()
    assert names(rules_file) == ["a"]
    assert "rules.d/a.yaml:1:23: rules.0.to: nobody is called nobody" in str(vars(caplog.records[-1])["words"])
    (folder / "people.yaml").unlink()
    assert not rules_file.refresh()
    assert not rules_file.refresh()

    (folder / "people.yaml").write_text("people: {nobody: {id: 1}}\n")
    assert rules_file.refresh()
    assert names(rules_file) == ["b"]


@pytest.mark.parametrize(
    ("break_it", "says"),
    [
        (Path.unlink, "there is no file {}"),
        (replaced(Path.mkdir), "{} is no file: for all in a folder write {}/*.yaml"),
        (replaced(os.mkfifo), "{} is no file"),
        (lambda path: path.write_bytes(b"# \xff"), "{} is not UTF-8"),
        (lambda path: path.write_bytes(b"#" * (MAX_BYTES + 1)), "{} is larger than "),
    ],
)
def test_a_file_that_cannot_be_read_is_a_complaint(folder: Path, break_it: Callable[[Path], object], says: str) -> None:
    people = folder / "people.yaml"
    break_it(people)

    with pytest.raises(BadRules) as caught:
        read_rules(folder / "rules.yaml", ENV)
    assert f"rules.yaml:2:11: include.0: {says.format(people, people)}" in str(caught.value)


def test_editors_files_and_folders_are_no_rules(folder: Path) -> None:
    (folder / "rules.d" / ".a.yaml").write_text("not: [yaml")
    (folder / "rules.d" / "folder.yaml").mkdir()

    assert names(RulesFile(folder / "rules.yaml", ENV)) == ["a"]

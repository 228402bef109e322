"""YAML as it is meant to be read by what deploys it: safe, and without a key that is given twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml


class _Strict(yaml.SafeLoader):
    """PyYAML takes the last of two equal keys without a word (YAML 1.2 §3.2.1.3: keys are unique)."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value if key.tag != "tag:yaml.org,2002:merge"]
        assert len(keys) == len(set(map(str, keys))), f"a key is given twice, at line {node.start_mark.line + 1}"
        return super().construct_mapping(node, deep)


def read(path: Path) -> list[Any]:
    """Every document of a file."""
    return list(yaml.load_all(path.read_text(encoding="utf-8"), _Strict))

"""The whole line, as `tests/line` has it."""

from tests.line.conftest import make_line

__all__ = ["make_line"]

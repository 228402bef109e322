"""A forked child ends as its deed does and never goes on in its parent's place; and a process loads only what it needs.

The children are forked by a process of their own: in this one there are threads.
"""

from __future__ import annotations

import subprocess
import sys

import pytest

from relay.cli.supervise import FORKS

pytestmark = pytest.mark.skipif(not FORKS, reason="children are forked on Linux alone")

SCRIPT = """
import os, signal, subprocess, sys, time
from relay.cli.forked import Forked
def raises():
    raise ZeroDivisionError
def sleeps():
    time.sleep(60)
    return 0
{script}
"""


def said(script: str) -> tuple[str, str]:
    """What a script prints, and what it complains of."""
    command = [sys.executable, "-c", SCRIPT.format(script=script)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    return done.stdout.strip(), done.stderr


@pytest.mark.parametrize(
    ("deed", "code"),
    [("lambda: 3", "3"), ("lambda: sys.exit(2)", "2"), ("lambda: sys.exit()", "0"), ("lambda: sys.exit('no')", "1")],
)
def test_a_child_ends_with_the_code_of_its_deed(deed: str, code: str) -> None:
    assert said(f"print(Forked({deed}).wait(30))") == (code, "")


def test_a_deed_that_fails_is_told_and_ends_the_child_alone() -> None:
    out, err = said("print(Forked(raises).wait(30)); print('the parent')")

    assert out == "1\nthe parent"
    assert "ZeroDivisionError" in err


def test_a_child_takes_signals_and_is_waited_for_no_longer_than_said() -> None:
    script = """
child = Forked(sleeps)
assert child.poll() is None
try:
    child.wait(0.1)
except subprocess.TimeoutExpired:
    print("not yet")
child.terminate()
print(child.wait(30) == -signal.SIGTERM, child.poll() == -signal.SIGTERM)
child.kill()
"""
    assert said(script)[0] == "not yet\nTrue True"


def test_who_asks_for_the_end_while_another_is_told_of_it_asks_in_vain_and_breaks_nothing() -> None:
    script = """
child, waitpid = Forked(lambda: 3), os.waitpid
def told(*asked):
    found = waitpid(*asked)
    if found[0]:
        child.terminate()  # as the handler of a signal does
    return found
os.waitpid = told
print(child.wait(30))
"""
    assert said(script) == ("3", "")


def test_what_is_large_and_not_needed_is_not_loaded() -> None:
    """Each process would have it once more: Alembic alone is eleven megabytes, and is needed where tables change."""
    large = {"alembic", "prompt_toolkit", "pygments", "rich", "psycopg", "relay.cli.demo", "relay.drill"}
    script = f"import sys, relay.cli.main, relay.cli.run, relay.web.server; print(sorted({large} & set(sys.modules)))"

    assert said(script)[0] == "[]"

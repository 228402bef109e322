"""A process loads only what it needs; what is large and for few commands is loaded by those.

Never looks at what is small.
"""

from __future__ import annotations

import subprocess
import sys


def test_what_is_large_and_not_needed_is_not_loaded_by_those_who_serve() -> None:
    """Alembic alone is eleven megabytes, and is needed where tables change."""
    large = {"alembic", "prompt_toolkit", "pygments", "rich", "psycopg", "relay.cli.demo", "relay.drill"}
    script = f"import sys, relay.cli.main, relay.cli.run, relay.web.server; print(sorted({large} & set(sys.modules)))"

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)

    assert done.stdout == "[]\n"

"""By what a source may be asked to prove itself, as `rules.yaml` says it, and the check that something is asked.

Never looks at a request: that is auth.py.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from relay.sources.options import SourceOptions

# RFC 9110 §5.6.2, token: what a header's name is made of, and an authentication scheme too.
HeaderName = Annotated[str, Field(pattern=r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")]

ONE_HEADER = ("basic", "bearer", "authorization")  # these fill the same Authorization header


def expect_proof(options: SourceOptions, *ways: str) -> None:
    """Check that ``options`` name at least one of ``ways``, or are open, and do not contradict themselves.

    Raises:
        ValueError: they do; the sentence says what to write instead.
    """
    given = [way for way in ways if getattr(options, way) is not None]
    rivals = [way for way in given if way in ONE_HEADER]
    if not given and not options.open:
        raise ValueError(f"asks for no credentials: give {' or '.join(ways)}, or open: true if anybody may post here")
    if given and options.open:
        raise ValueError(f"open: true lets anybody in, {' and '.join(given)} does not: keep one of them")
    if len(rivals) > 1:
        raise ValueError(f"{' and '.join(rivals)} fill the same Authorization header: keep one of them")

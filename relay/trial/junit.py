"""Results as JUnit's XML, which GitLab and Jenkins show beside a pipeline.

Never writes what XML cannot hold: a stranger's control characters would make the whole report unreadable.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from xml.etree.ElementTree import Element, SubElement, tostring

from relay.trial.report import failure
from relay.trial.running import Result

# All that is not a Char of XML 1.0 (Fifth Edition, §2.2), escaped or not.
_NO_CHAR = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def report(results: Sequence[Result], *, file: str) -> bytes:
    """The report of one file of tests: UTF-8, with its XML declaration.

    The attributes are those that GitLab's and Jenkins' readers ask for: `classname`, `name`, `file`, `line`.
    """
    failed = sum(not result.passed for result in results)
    counts = {"tests": str(len(results)), "failures": str(failed), "errors": "0", "skipped": "0"}
    root = Element("testsuites", {"name": "relay test", **counts})
    suite = SubElement(root, "testsuite", {"name": _text(file), **counts})
    for result in results:
        case = result.case
        place = {"classname": _text(file), "name": _text(case.name), "file": _text(file), "line": str(case.line)}
        element = SubElement(suite, "testcase", place)
        if not result.passed:
            page = _text(failure(result))
            told = SubElement(element, "failure", {"type": "AssertionError", "message": page.partition("\n\n")[0]})
            told.text = page
    written: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return written


def _text(text: str) -> str:
    return _NO_CHAR.sub("�", text)

"""What is posted: a GitHub pull request event of some 24 kB, as GitHub sends and signs it, and an Alertmanager post.

Never a copy of anybody's: the fields and the sizes are GitHub's, the words are made up. Each event has a number of its
own in its title, `change-17`, by which it is found again at the portal.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import random
import re
from typing import Any

SECRET = "a-secret-of-github"
MARK = re.compile(rb"change-(\d+)")
PEOPLE = ("ivan", "olga", "petr")

# GitHub's objects are mostly addresses: a repository has some forty and stands in a pull request event three times.
_OF_A_REPO = (
    "forks keys teams hooks events assignees branches tags blobs refs trees statuses languages stargazers contributors"
    " subscribers subscription commits comments contents compare merges archive downloads issues pulls milestones"
    " notifications labels releases deployments"
)
_OF_A_USER = "followers following gists starred subscriptions organizations repos events received_events"

_WORDS = (
    "the order price shop currency is rounded twice once where when and so that at an end of its own tax cart total"
    " fixes #481 closes #502 `Decimal` `round()` before after see discussion below tested with EUR USD JPY RUB - [x]"
)


def review(number: int) -> bytes:
    """A review is requested in a pull request of its own."""
    api = "https://api.github.com/repos/acme/shop"
    pull = {
        "url": f"{api}/pulls/{number}",
        "html_url": f"https://github.com/acme/shop/pull/{number}",
        "number": number,
        "state": "open",
        "draft": False,
        "title": f"Take the order's currency from the shop, change-{number}",
        "body": " ".join(random.Random(number).choices(_WORDS.split(), k=900)),
        "user": _user("olga-smirnova", 2),
        "requested_reviewers": [_user("ivan-petrov", 1)],
        "labels": [{"id": each, "node_id": _digest(f"label {each}"), "name": f"area/{each}"} for each in range(6)],
        "head": _branch(f"currency-{number}"),
        "base": _branch("main"),
        "_links": {each: {"href": f"{api}/pulls/{number}/{each}"} for each in ("self", "comments", "commits")},
        "created_at": "2026-11-23T09:00:00Z",
        "updated_at": "2026-11-23T09:12:00Z",
        "additions": 120,
        "deletions": 48,
        "changed_files": 7,
    }
    event = {
        "action": "review_requested",
        "number": number,
        "pull_request": pull,
        "requested_reviewer": _user("ivan-petrov", 1),
        "repository": _repo("shop"),
        "organization": {"login": "acme", "id": 3, "url": "https://api.github.com/orgs/acme"},
        "sender": _user("olga-smirnova", 2),
    }
    return json.dumps(event).encode()


def _digest(of: str) -> str:
    """A name as git and GitHub give them: 40 signs that do not compress."""
    return hashlib.sha1(of.encode()).hexdigest()


def _branch(name: str) -> dict[str, Any]:
    return {"label": f"acme:{name}", "ref": name, "sha": _digest(name), "user": _user("acme", 3), "repo": _repo("shop")}


def _user(login: str, number: int) -> dict[str, Any]:
    api = f"https://api.github.com/users/{login}"
    return {
        "login": login,
        "id": number,
        "node_id": _digest(login),
        "avatar_url": f"https://avatars.githubusercontent.com/u/{number}?v=4",
        "html_url": f"https://github.com/{login}",
        **{f"{each}_url": f"{api}/{each}" for each in _OF_A_USER.split()},
        "type": "User",
        "site_admin": False,
    }


def _repo(name: str) -> dict[str, Any]:
    api = f"https://api.github.com/repos/acme/{name}"
    return {
        "id": 4,
        "node_id": _digest(name),
        "name": name,
        "full_name": f"acme/{name}",
        "private": True,
        "owner": _user("acme", 3),
        "html_url": f"https://github.com/acme/{name}",
        "description": "What the shop sells, to whom, and for how much.",
        **{f"{each}_url": f"{api}/{each}{{/sha}}" for each in _OF_A_REPO.split()},
        "topics": ["shop", "orders", "payments", "delivery"],
        "default_branch": "main",
        "visibility": "private",
        "open_issues_count": 34,
        "license": {
            "key": "mit",
            "name": "MIT License",
            "spdx_id": "MIT",
            "url": "https://api.github.com/licenses/mit",
        },
    }


def headers(number: int, body: bytes, *, secret: str = SECRET) -> dict[str, str]:
    """GitHub's own (GitHub docs, Webhook events and payloads, Delivery headers)."""
    digest = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return {
        "Content-Type": "application/json",
        "User-Agent": "GitHub-Hookshot/044aadd",
        "X-GitHub-Event": "pull_request",
        "X-GitHub-Delivery": f"72d3162e-cc78-11e3-81ab-{number:012d}",
        "X-GitHub-Hook-ID": "292430182",
        "X-Hub-Signature-256": f"sha256={digest}",
    }


def alerts(count: int) -> bytes:
    """One post of Alertmanager's (Alertmanager docs, webhook_config) with so many alerts."""
    common = {"alertname": "DiskFull", "severity": "critical"}
    one = {"status": "firing", "endsAt": "0001-01-01T00:00:00Z", "startsAt": "2026-11-23T09:00:00Z"}
    told = [
        one
        | {
            "labels": common | {"instance": f"change-{number}:9100"},
            "annotations": {"summary": f"The disk of change-{number} is full"},
            "generatorURL": "http://prometheus.example/graph",
            "fingerprint": f"{number:016x}",
        }
        for number in range(count)
    ]
    post = {
        "version": "4",
        "groupKey": '{}:{alertname="DiskFull"}',
        "truncatedAlerts": 0,
        "status": "firing",
        "receiver": "relay",
        "groupLabels": {"alertname": "DiskFull"},
        "commonLabels": common,
        "commonAnnotations": {},
        "externalURL": "http://alertmanager.example",
        "alerts": told,
    }
    return json.dumps(post).encode()

"""How a request's parameters are read: brackets, JSON, query and body together."""

from __future__ import annotations

import json

import pytest

from relay.sandbox import Server
from relay.sandbox.params import Params, from_json, from_query, merged
from tests.sandbox.build import SEND, get, post, request


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("USER_ID=5&MESSAGE=Hi%20there+you", {"USER_ID": "5", "MESSAGE": "Hi there you"}),
        ("IDS[]=1&IDS[]=2", {"IDS": ["1", "2"]}),
        ("ATTACH[BLOCKS][0][MESSAGE]=x", {"ATTACH": {"BLOCKS": [{"MESSAGE": "x"}]}}),
        ("FILTER[%3DEMAIL]=a@b.c", {"FILTER": {"=EMAIL": "a@b.c"}}),
        ("FILTER[=EMAIL]=a@b.c", {"FILTER_": "EMAIL]=a@b.c"}),
        ("a[2]=x&a[]=y", {"a": {"2": "x", "3": "y"}}),
        ("a[1]=x&a[0]=y", {"a": {"1": "x", "0": "y"}}),
        ("a[b=x", {"a_b": "x"}),
        ("a.b c=x", {"a_b_c": "x"}),
        ("a=1&a[b]=2", {"a": {"b": "2"}}),
        ("a[b]junk[c]=1", {"a": {"b": "1"}}),
        ("flag", {"flag": ""}),
        ("=x&[y]=z", {}),
        (f"a{'[x]' * 70}=1", {}),
    ],
)
def test_brackets_are_read_as_php_reads_them(query: str, expected: Params) -> None:
    assert from_query(query) == expected


@pytest.mark.parametrize(
    "body", [b"{", b"", b"\xff", b'{"a": NaN}', b'"text"', b'{"a":"\\ud800"}', b"[" * 5000], ids=range(7)
)
def test_a_body_that_is_not_json_is_a_body_without_parameters(body: bytes) -> None:
    assert from_json(body) == {}


def test_of_two_with_one_name_the_body_wins_and_names_have_no_case() -> None:
    assert merged({"User_Id": "1", "tag": "x"}, {"USER_ID": 2}) == {"USER_ID": 2, "TAG": "x"}


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b'{"user_id": 17, "message": "Hello"}'),
        ("application/vnd.api+json", b'{"USER_ID": 17, "MESSAGE": "Hello"}'),
        ("application/x-www-form-urlencoded", b"USER_ID=17&MESSAGE=Hello"),
        (
            "multipart/form-data; boundary=b",
            b'--b\r\nContent-Disposition: form-data; name="USER_ID"\r\n\r\n17\r\n'
            b'--b\r\nContent-Disposition: form-data; name="MESSAGE"\r\n\r\nHello\r\n--b--\r\n',
        ),
    ],
)
def test_every_kind_of_body_arrives(server: Server, kind: str, body: bytes) -> None:
    assert post(server.webhook + SEND, body=body, kind=kind).status == 200
    assert [shown.text for shown in server.portal.notifications(17)] == ["Hello"]


def test_json_without_its_content_type_is_not_read(server: Server) -> None:
    answer = post(server.webhook + SEND, {"USER_ID": 17, "MESSAGE": "x"}, kind="text/plain")

    assert (answer.status, json.loads(answer.body)["error"]) == (400, "USER_ID_EMPTY")


def test_malformed_json_fails_as_if_parameters_were_missing(server: Server) -> None:
    answer = post(server.webhook + SEND, body=b'{"USER_ID": 17')

    assert (answer.status, json.loads(answer.body)["error"]) == (400, "USER_ID_EMPTY")


def test_a_get_with_a_query_sends_too(server: Server) -> None:
    assert get(f"{server.webhook}{SEND}?USER_ID=17&MESSAGE=Hi").status == 200


def test_query_and_body_are_one(server: Server) -> None:
    post(f"{server.webhook}{SEND}?USER_ID=18&MESSAGE=query", {"MESSAGE": "body"})

    assert [shown.text for shown in server.portal.notifications(18)] == ["body"]


@pytest.mark.parametrize("suffix", [".json", ".xml", "/", ".json/", ""])
@pytest.mark.parametrize("name", [SEND, "IM.Notify.Personal.Add"])
def test_the_method_has_no_case_and_may_have_a_suffix_or_a_slash(server: Server, name: str, suffix: str) -> None:
    assert post(f"{server.webhook}{name}{suffix}", {"USER_ID": 17, "MESSAGE": "x"}).status == 200


@pytest.mark.parametrize("path", ["/rest/1/sandbox-secret/", "/rest/1/sandbox-secret/a/b", "/rest/1/x"])
def test_an_address_of_another_shape_is_no_method(server: Server, path: str) -> None:
    answer = post(server.url + path, {})

    assert (answer.status, json.loads(answer.body)["error"]) == (404, "ERROR_METHOD_NOT_FOUND")


def test_rest_3_has_none_of_these_methods(server: Server) -> None:
    answer = post(f"{server.url}/rest/api/1/sandbox-secret/{SEND}", {})

    assert answer.status == 404
    assert json.loads(answer.body)["error"]["code"].startswith("BITRIX_REST_V3_EXCEPTION_")


@pytest.mark.parametrize("place", ["bearer", "auth", "access_token", "query"])
def test_an_app_may_put_its_token_in_four_places(server: Server, place: str) -> None:
    params = {"USER_ID": 17, "MESSAGE": "x"} | ({place: "sandbox-token"} if place in {"auth", "access_token"} else {})
    header = {"Authorization": "Bearer sandbox-token"} if place == "bearer" else {}
    query = "?auth=sandbox-token" if place == "query" else ""
    body = json.dumps(params).encode()

    answer = request("POST", f"{server.url}/rest/{SEND}{query}", body, {"Content-Type": "application/json", **header})

    assert answer.status == 200
    assert set(server.portal.commands()[0].params) == {"USER_ID", "MESSAGE"}


def test_the_header_wins_over_the_parameters(server: Server) -> None:
    headers = {"Content-Type": "application/json", "Authorization": "Bearer wrong"}
    answer = request("POST", f"{server.url}/rest/profile", b'{"auth": "sandbox-token"}', headers)

    assert json.loads(answer.body)["error"] == "invalid_token"

"""What answers mean: the error table row by row, the oddities of results and batches, and any bytes at all."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from relay.bitrix import answer, refusals
from relay.bitrix.address import PortalNotTrusted
from relay.bitrix.answer import read, sent_verdict, unreachable
from relay.bitrix.call import build
from relay.errors import PortalUnreachable
from relay.model import (
    Answer,
    Dead,
    Delivered,
    Later,
    Muted,
    Parcel,
    PortalTrouble,
    Refused,
    Unknown,
    Verdict,
    WithoutBlocks,
)
from tests.bitrix.parcels import parcel

NOW = 1_795_000_000.0
CLOCK = {"start": 1_775_048_400.41, "finish": 1_775_048_400.47, "operating": 0, "operating_reset_at": 1_775_049_000}
BLOCKS = {"BLOCKS": [{"MESSAGE": "x"}]}


def ask(content: Any, status: int = 200, *, parcels: list[Parcel] | None = None) -> Answer:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return read(build(parcels or [parcel()]), status, body, now=NOW)


def one(content: Any, status: int = 200, **words: Any) -> Verdict:
    came = ask(content, status, parcels=[parcel(**words)])
    assert came.trouble is None
    (verdict,) = came.verdicts
    return verdict


def trouble(content: Any, status: int = 200, *, parcels: list[Parcel] | None = None) -> PortalTrouble:
    came = ask(content, status, parcels=parcels)
    assert came.verdicts == ()
    assert came.trouble is not None
    return came.trouble


def error(code: object, text: str = "why") -> dict[str, object]:
    return {"error": code, "error_description": text}


# ── Results ───────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("result", "verdict"),
    [
        (98012, Delivered(98012)),
        ("98012", Delivered(98012)),
        (98012.0, Delivered(98012)),
        (2**63 - 1, Delivered(2**63 - 1)),  # a database's largest number
        (2.0**53 - 1, Delivered(2**53 - 1)),  # beyond it a float is no more exact
        (True, Delivered(0)),
        (1_775_048_400, Muted()),
        (1_775_048_401, Muted()),
        ("1775048400", Muted()),
        (1_775_048_300, Delivered(1_775_048_300)),
    ],
)
def test_an_id_is_delivered_and_the_portals_clock_is_muted(result: object, verdict: Verdict) -> None:
    assert one({"result": result, "time": CLOCK}) == verdict


@pytest.mark.parametrize("result", [False, 0, -1, "0"])
def test_false_or_nothing_stored_is_refused(result: object) -> None:
    assert isinstance(one({"result": result, "time": CLOCK}), Refused)


@pytest.mark.parametrize("result", [None, [], {}, "", "soon", 1.5, 2**63, 2.0**53, 10**30, [98012]])
def test_a_result_that_is_no_id_leaves_the_outcome_unknown(result: object) -> None:
    assert isinstance(one({"result": result, "time": CLOCK}), Unknown)


@pytest.mark.parametrize(("off", "muted"), [(-3, False), (-2, True), (0, True), (2, True), (3, False)])
def test_the_portals_own_time_is_good_to_two_seconds(off: int, muted: bool) -> None:
    clock = {"start": NOW, "finish": NOW}

    assert (sent_verdict(int(NOW) + off, clock, now=0.0) == Muted()) is muted
    assert (sent_verdict(int(NOW) + off, {"start": NOW}, now=0.0) == Muted()) is muted
    assert (sent_verdict(int(NOW) + off + 30 * (off > 0), {**clock, "finish": NOW + 30}, now=0.0) == Muted()) is muted


@pytest.mark.parametrize(
    ("off", "muted"), [(0, True), (86_400, True), (-86_400, True), (86_401, False), (-86_401, False)]
)
def test_without_the_portals_time_ours_is_good_to_a_day(off: int, muted: bool) -> None:
    assert (sent_verdict(int(NOW) + off, None, now=NOW) == Muted()) is muted


@pytest.mark.parametrize("result", [True, False])
def test_a_deletion_is_done_also_when_there_was_nothing_left(result: bool) -> None:
    assert one({"result": result, "time": CLOCK}, tag="t", delete=True) == Delivered(0)


def test_a_webhook_that_deletes_by_tag_is_at_fault_itself_and_not_the_portal() -> None:
    refused = error("ACCESS_DENIED", "Access denied! Client ID not specified")

    assert isinstance(one(refused, 403, tag="t", delete=True), Dead)
    assert trouble(refused, 403).kind == "closed"  # a send has no such excuse
    assert trouble(error("ACCESS_DENIED", "REST is available only on commercial plans."), 403).kind == "closed"


def test_an_empty_error_beside_a_result_is_no_error() -> None:
    assert one({"result": 5, "error": "", "time": CLOCK}) == Delivered(5)


@pytest.mark.parametrize(
    ("told", "is_one"),
    [
        ({"error": "X"}, True),
        ({"error": "X", "result": []}, True),
        ({"error": ""}, True),  # an old method's
        ({"error": "", "result": 5}, False),
        ({"result": 5}, False),
        ({}, False),
    ],
)
def test_an_error_is_an_error_also_beside_a_result(told: dict[str, Any], is_one: bool) -> None:
    assert answer.is_error(told) is is_one


def test_a_result_is_one_only_where_the_status_is_of_success() -> None:
    assert one({"result": 5}, 200) == one({"result": 5}, 299) == Delivered(5)
    assert trouble({"result": 5}, 300).kind == "closed"
    assert trouble({"result": 5}, 500) == trouble({}, 500)


def test_what_was_charged_is_told_by_method() -> None:
    assert ask({"result": 5, "time": {"operating": 1.5}}).operating == {"im.notify.personal.add": 1.5}
    assert ask({"result": 5, "time": {"operating": "x"}}).operating == {}


def test_the_new_host_is_passed_on() -> None:
    came = read(build([parcel()]), 200, b'{"result": 5}', now=NOW, moved_to="new.bitrix24.ru")

    assert came.moved_to == "new.bitrix24.ru"


# ── Errors, row by row ────────────────────────────────────────────────────────────────────────────────────────

# Written anew from the documentation, not read from the table that is judged.
TROUBLES = {
    "rate": ["QUERY_LIMIT_EXCEEDED", "OPERATION_TIME_LIMIT"],
    "down": ["INTERNAL_SERVER_ERROR", "ERROR_UNEXPECTED_ANSWER", "CONNECTION_ERROR"],
    "expired": ["expired_token"],
    "closed": [
        "NO_AUTH_FOUND",
        "INVALID_CREDENTIALS",
        "insufficient_scope",
        "invalid_scope",
        "invalid_token",
        "APPLICATION_NOT_FOUND",
        "ERROR_OAUTH",
        "NOT_INSTALLED",
        "authorization_error",
        "user_access_error",
        "allowed_only_intranet_user",
        "WRONG_AUTH_TYPE",
        "METHOD_CONFIRM_WAITING",
        "METHOD_CONFIRM_DENIED",
        "INVALID_REQUEST",
        "ACCESS_DENIED",
        "PAYMENT_REQUIRED",
        "PORTAL_DELETED",
        "OVERLOAD_LIMIT",
        "ERROR_METHOD_NOT_FOUND",
        "METHOD_NOT_FOUND",
        "NOT_FOUND",
    ],
}
VERDICTS: dict[str, type[Verdict]] = {
    "USER_ID_EMPTY": Refused,
    "MESSAGE_EMPTY": Dead,  # without blocks there is nothing to leave out
    "ATTACH_ERROR": Dead,
    "ATTACH_OVERSIZE": Dead,
    "PARAMS_ERROR": Dead,
    "ERROR_ARGUMENT": Dead,
    "INVALID_ARG_VALUE": Dead,
    "WRONG_ENCODING": Dead,
    "ERROR_BATCH_METHOD_NOT_ALLOWED": Dead,
    "ERROR_BATCH_LENGTH_EXCEEDED": Later,
    "ERROR_CORE": Later,
}
ROWS = [(code, kind) for kind, codes in TROUBLES.items() for code in codes]


def test_the_rows_below_are_all_there_are() -> None:
    assert {code.upper() for code, _ in ROWS} | set(VERDICTS) == set(refusals.ERRORS)


def test_every_row_says_why_and_where_it_is_from() -> None:
    assert all(meaning.why and meaning.source for meaning in refusals.ERRORS.values())


@pytest.mark.parametrize("status", [200, 400, 401, 403, 404, 410, 429, 500, 503])
@pytest.mark.parametrize(("code", "kind"), ROWS)
def test_the_code_decides_whatever_the_status(code: str, kind: str, status: int) -> None:
    for spelling in (code, code.upper(), code.lower()):
        came = trouble(error(spelling), status)

        assert (came.kind, came.code) == (kind, code.upper())


@pytest.mark.parametrize(("code", "verdict"), VERDICTS.items())
def test_an_error_of_one_message_is_its_own(code: str, verdict: type[Verdict]) -> None:
    assert isinstance(one(error(code), 400), verdict)


@pytest.mark.parametrize("code", ["MESSAGE_EMPTY", "ATTACH_ERROR", "ATTACH_OVERSIZE"])
def test_blocks_that_are_not_taken_are_left_out_once(code: str) -> None:
    assert isinstance(one(error(code), 400, attach=BLOCKS), WithoutBlocks)
    assert isinstance(one(error(code), 400, attach=BLOCKS, plain=True), Dead)


def test_a_fault_that_may_be_the_messages_own_is_not_tried_for_ever() -> None:
    assert isinstance(one(error("ERROR_CORE"), 500, attempts=2), Later)
    assert isinstance(one(error("ERROR_CORE"), 500, attempts=3), Dead)


def test_only_a_fault_inside_the_portal_may_have_come_after_the_work() -> None:
    may = {code for code, _ in ROWS if trouble(error(code), 500).sent}

    assert may == {"INTERNAL_SERVER_ERROR", "ERROR_UNEXPECTED_ANSWER"}
    assert not trouble(error("NO_SUCH_CODE"), 503).sent


def test_a_method_that_rests_says_until_when() -> None:
    soon = NOW + 100
    known = trouble({**error("OPERATION_TIME_LIMIT"), "time": {"operating_reset_at": soon}}, 429)
    others = [
        trouble({**error("OPERATION_TIME_LIMIT"), "time": time}, 429).not_before
        for time in ({}, {"operating_reset_at": NOW - 9}, {"operating_reset_at": NOW})
    ]

    assert known.not_before == soon
    assert others == [NOW + 60] * 3  # a bucket of the portal's: Bitrix24 REST docs, limits


BY_STATUS = {  # RFC 9110 §15; 429 is the portal's own, Bitrix24 REST docs, limits
    "closed": [300, 302, 399, 401, 402, 403, 404, 405, 407, 410],
    "rate": [429],
    "down": [408, 500, 503],
}


@pytest.mark.parametrize(("status", "kind"), [(status, kind) for kind, all_ in BY_STATUS.items() for status in all_])
@pytest.mark.parametrize("code", ["", 0, None, "0", "SOMETHING_NEW", {}, [], {"code": ""}])
def test_without_a_known_code_the_status_decides(code: object, status: int, kind: str) -> None:
    assert trouble(error(code), status).kind == kind


@pytest.mark.parametrize("status", [200, 299, 400, 499])
def test_an_unknown_refusal_of_one_message_is_its_end_and_of_a_batch_is_not(status: int) -> None:
    assert one(error("SOMETHING_NEW"), status) == Dead("SOMETHING_NEW", refusals.by_status(400, enveloped=True).why)
    assert trouble(error("SOMETHING_NEW"), status, parcels=[parcel(1), parcel(2)]).kind == "closed"


def test_the_newer_interfaces_envelope_is_understood() -> None:
    assert trouble({"error": {"code": "INVALID_CREDENTIALS", "message": "x"}}, 401).code == "INVALID_CREDENTIALS"


def test_a_hostile_code_is_not_repeated() -> None:
    verdict = one(error("[url=evil]x\n" * 50), 400)

    assert isinstance(verdict, Dead)
    assert len(verdict.code) <= 64
    assert verdict.code.isalnum()


# ── Not the portal's own answer ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("status", "kind", "sent"),
    [
        (302, "closed", False),
        (401, "closed", False),
        (403, "closed", False),
        (404, "closed", False),
        (408, "down", False),
        (410, "closed", False),
        (429, "rate", False),
        (500, "down", True),
        (502, "down", True),
        (503, "down", True),
        (504, "down", True),
        (200, "closed", True),
        (299, "closed", True),
        (300, "closed", False),
    ],
)
def test_a_web_page_is_judged_by_its_status(status: int, kind: str, sent: bool) -> None:
    came = trouble(b"<html><h1>/rest/1/KEY/</h1></html>", status)

    assert (came.kind, came.sent) == (kind, sent)
    assert "KEY" not in came.why


@pytest.mark.parametrize("status", [400, 422, 499])
def test_a_message_that_the_way_there_refuses_is_not_tried_again(status: int) -> None:
    assert isinstance(one(b"<html>", status), Dead)


@pytest.mark.parametrize(
    "body", [b"", b"{", b'{"result": 98', b"null", b"[]", b"5", b"{}", b'{"time": {}}', b"\xff\xfe"]
)
def test_half_an_answer_may_hide_a_whole_deed(body: bytes) -> None:
    came = trouble(body)

    assert (came.kind, came.sent) == ("down", True)


def test_a_request_too_large_is_made_smaller() -> None:
    assert isinstance(one(b"<html>", 413, attach=BLOCKS), WithoutBlocks)
    assert isinstance(one(b"<html>", 413), Dead)
    rich, poor = ask(b"<html>", 413, parcels=[parcel(1, attach=BLOCKS), parcel(2)]).verdicts
    assert isinstance(rich, WithoutBlocks)
    assert isinstance(poor, Later)


def test_no_answer_is_trouble_that_remembers_whether_it_was_sent() -> None:
    silent = unreachable(PortalUnreachable("p.bitrix24.ru: does not answer in time", sent=True))
    wrong = unreachable(PortalNotTrusted("p.bitrix24.ru: its certificate is not trusted", sent=False))

    assert silent.trouble == PortalTrouble("down", "UNREACHABLE", "p.bitrix24.ru: does not answer in time", sent=True)
    assert wrong.trouble is not None
    assert wrong.trouble.kind == "closed"


# ── Batches ───────────────────────────────────────────────────────────────────────────────────────────────────


def batch(results: Any, errors: Any = (), times: Any = (), **outer: Any) -> dict[str, Any]:
    inner = {"result": results, "result_error": errors, "result_total": [], "result_next": [], "result_time": times}
    return {"result": inner, "time": CLOCK, **outer}


FOUR = [parcel(1), parcel(2), parcel(3, attach=BLOCKS), parcel(4)]


def test_each_command_of_a_batch_has_its_own_verdict_in_the_order_sent() -> None:
    content = batch(
        {"n3": 1_775_048_400, "n0": 7},
        {"n2": error("ATTACH_ERROR"), "n1": error("USER_ID_EMPTY")},
        {"n0": CLOCK, "n3": CLOCK},
    )
    came = ask(content, parcels=FOUR)

    assert came.trouble is None
    assert [type(verdict) for verdict in came.verdicts] == [Delivered, Refused, WithoutBlocks, Muted]


def test_a_command_is_muted_by_its_own_clock_and_not_by_the_batchs() -> None:
    later = {"start": CLOCK["start"] + 30, "finish": CLOCK["start"] + 31}
    content = batch({"n0": 1_775_048_430, "n1": 1_775_048_430}, (), {"n0": later})

    assert ask(content, parcels=[parcel(1), parcel(2)]).verdicts == (Muted(), Delivered(1_775_048_430))


def test_a_command_that_the_answer_leaves_out_is_unknown() -> None:
    came = ask(batch({"n0": 7}, []), parcels=FOUR)

    assert came.verdicts[0] == Delivered(7)
    assert all(isinstance(verdict, Unknown) for verdict in came.verdicts[1:])


@pytest.mark.parametrize("results", [[7, 8], {"n0": 7, "n1": 8}])
def test_a_list_of_the_right_length_is_a_map(results: object) -> None:
    assert ask(batch(results), parcels=[parcel(1), parcel(2)]).verdicts == (Delivered(7), Delivered(8))


@pytest.mark.parametrize("results", [[], [7], None, False, "x"])
def test_positions_that_are_lost_are_not_guessed(results: object) -> None:
    verdicts = ask(batch(results), parcels=[parcel(1), parcel(2)]).verdicts

    assert all(isinstance(verdict, Unknown) for verdict in verdicts)


@pytest.mark.parametrize("result", [[], False, None, 5])
def test_a_batch_without_parts_is_unknown_throughout(result: object) -> None:
    verdicts = ask({"result": result}, parcels=FOUR).verdicts

    assert [type(verdict) for verdict in verdicts] == [Unknown] * 4


def test_a_method_that_rests_inside_a_batch_holds_back_its_commands_alone() -> None:
    content = batch({"n0": 7}, {"n1": error("OPERATION_TIME_LIMIT")}, time={"operating_reset_at": NOW + 500})
    came = ask(content, parcels=[parcel(1), parcel(2)])

    assert came.trouble is None
    assert isinstance(came.verdicts[1], Later)
    assert came.verdicts[1].not_before == NOW + 500


@pytest.mark.parametrize(
    ("code", "kind"), [("insufficient_scope", "closed"), ("QUERY_LIMIT_EXCEEDED", "rate"), ("expired_token", "expired")]
)
def test_trouble_inside_a_batch_concerns_the_portal_and_no_message_dies_of_it(code: str, kind: str) -> None:
    came = ask(batch({"n0": 7}, {"n1": error(code, "")}), parcels=[parcel(1), parcel(2)])

    assert came.verdicts[0] == Delivered(7)
    assert isinstance(came.verdicts[1], Later)
    assert came.trouble is not None
    assert came.trouble.kind == kind


def test_a_fault_inside_a_batch_leaves_its_command_unknown() -> None:
    came = ask(batch([], {"n0": error("INTERNAL_SERVER_ERROR"), "n1": error("X_NEW")}), parcels=[parcel(1), parcel(2)])

    assert isinstance(came.verdicts[0], Unknown)
    assert came.verdicts[1] == Dead("X_NEW", "the portal refuses it")


@pytest.mark.parametrize("fault", ["text", 5, None, [], {}])
def test_an_odd_error_inside_a_batch_is_an_error(fault: object) -> None:
    assert isinstance(ask(batch([], {"n0": fault}), parcels=[parcel(1), parcel(2)]).verdicts[0], Dead)


@pytest.mark.parametrize("code", ["QUERY_LIMIT_EXCEEDED", "INVALID_CREDENTIALS", "ERROR_CORE"])
def test_a_refusal_of_the_whole_batch_is_no_messages_fault(code: str) -> None:
    trouble(error(code), 503, parcels=FOUR)


def test_charges_inside_a_batch_are_told_by_method() -> None:
    content = batch({"n0": 7, "n1": 8}, (), {"n0": {"operating": 0.5}, "n1": {"operating": 2}})

    assert ask(content, parcels=[parcel(1), parcel(2)]).operating == {"batch": 0, "im.notify.personal.add": 2}


# ── Anything at all ───────────────────────────────────────────────────────────────────────────────────────────

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.sampled_from(["QUERY_LIMIT_EXCEEDED", "expired_token", "n0", "n1"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    "result",
                    "error",
                    "result_error",
                    "result_time",
                    "time",
                    "n0",
                    "n1",
                    "start",
                    "operating",
                    "code",
                    "x",
                ]
            ),
            inner,
            max_size=6,
        )
    ),
    max_leaves=25,
)


def holds_its_promise(call_parcels: list[Parcel], status: int, body: bytes) -> None:
    came = read(build(call_parcels), status, body, now=NOW)

    assert len(came.verdicts) in (0, len(call_parcels))
    assert came.verdicts or came.trouble


@given(status=st.integers(100, 599), body=st.binary(), count=st.integers(1, 3))
@example(status=200, body=b"[" * 100_000, count=1)
@example(status=200, body=b'{"result": ' + b"9" * 5000 + b"}", count=1)
@example(status=200, body=b'{"result": ' + b"9" * 400 + b"}", count=1)
@example(status=200, body=b'{"result": 1e400}', count=1)
@example(status=200, body=b'{"result": NaN}', count=1)
@example(status=200, body=b'{"result": 5, "time": {"start": 1' + b"0" * 400 + b"}}", count=1)
@example(status=200, body=b'\xef\xbb\xbf{"result": 5}', count=1)
@example(status=503, body=b'{"error": "\\ud800"}', count=2)
def test_any_bytes_have_a_meaning(status: int, body: bytes, count: int) -> None:
    holds_its_promise([parcel(number) for number in range(count)], status, body)


@given(status=st.sampled_from([200, 400, 401, 500, 503]), content=json_values, count=st.integers(1, 3))
def test_any_json_has_a_meaning(status: int, content: Any, count: int) -> None:
    holds_its_promise([parcel(number) for number in range(count)], status, json.dumps(content).encode())


@given(inner=json_values, errors=json_values, times=json_values)
def test_any_batch_has_a_meaning(inner: Any, errors: Any, times: Any) -> None:
    holds_its_promise([parcel(1), parcel(2)], 200, json.dumps(batch(inner, errors, times)).encode())


def test_a_rate_refusal_is_the_only_answer_to_repeat() -> None:
    assert answer.is_retryable(503, json.dumps(error("query_limit_exceeded")).encode())
    assert answer.is_retryable(429, b"<html>")
    assert answer.is_retryable(429, json.dumps(error("SOMETHING_NEW")).encode())
    assert not answer.is_retryable(503, b"<html>")
    assert not answer.is_retryable(429, json.dumps(error("OPERATION_TIME_LIMIT")).encode())
    assert not answer.is_retryable(200, b'{"result": 1}')


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (json.dumps(error("expired_token")).encode(), "EXPIRED_TOKEN"),
        (b'{"error": ""}', ""),
        (b'{"error": "", "result": 1}', ""),
        (b'{"result": 1}', ""),
        (b"[]", ""),
        (b'["error"]', ""),
        (b"<html>", ""),
    ],
)
def test_a_request_that_was_not_refused_has_no_code_of_refusal(body: bytes, code: str) -> None:
    assert answer.refusal_of(body) == code


@pytest.mark.parametrize(
    ("code", "status", "said"),
    [
        ("expired_token", 401, "EXPIRED_TOKEN: the access token has expired"),
        ("SOMETHING_NEW", 402, "SOMETHING_NEW: the portal wants to be paid"),
        ("", 503, "HTTP 503: the portal met a fault of its own"),
    ],
)
def test_a_refusal_is_explained_to_a_person_by_its_code_or_else_by_the_status(
    code: str, status: int, said: str
) -> None:
    assert answer.explain(error(code), status) == said

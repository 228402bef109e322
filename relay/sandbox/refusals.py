"""The portal's errors: each code with its HTTP status and its sentence.

Never decides when one is due. The statuses are those that the official SDK's tests or the REST documentation name
("System errors"); where they disagree, the SDK's.
"""

from __future__ import annotations

HTTPS_REQUIRED = "Https required."
NO_CLIENT_ID = "Access denied! Client ID not specified"
NO_APP = "Access denied! Application context required"
NO_PLAN = "REST is available only on commercial plans."

TABLE: dict[str, tuple[int, str]] = {
    # before the method: limits, credentials, plan
    "QUERY_LIMIT_EXCEEDED": (503, "Too many requests"),
    "OPERATION_TIME_LIMIT": (429, "Method is blocked due to operation time limit."),
    "OVERLOAD_LIMIT": (503, "REST API is blocked due to overload."),
    "INTERNAL_SERVER_ERROR": (500, "Internal server error"),
    "ERROR_UNEXPECTED_ANSWER": (500, "Server returned an unexpected response"),
    "ERROR_CORE": (500, "SQL query error!"),
    "NO_AUTH_FOUND": (401, "Wrong authorization data"),
    "INVALID_CREDENTIALS": (401, "Invalid request credentials"),
    "insufficient_scope": (401, "The request requires higher privileges than provided by the webhook token"),
    "invalid_token": (401, "Unable to get application by token"),
    "expired_token": (401, "The access token provided has expired"),
    "APPLICATION_NOT_FOUND": (401, "Application not found"),
    "ERROR_OAUTH": (401, "Application not installed"),
    "NOT_INSTALLED": (401, "Application not installed"),
    "authorization_error": (401, "Unable to authorize user"),
    "user_access_error": (403, "The user does not have access to the application."),
    "ACCESS_DENIED": (403, NO_PLAN),
    "PAYMENT_REQUIRED": (401, "Payment required"),
    "WRONG_AUTH_TYPE": (403, "Access for this method not allowed by session authorization."),
    "INVALID_REQUEST": (400, HTTPS_REQUIRED),
    "ERROR_METHOD_NOT_FOUND": (404, "Method not found!"),
    "ERROR_ARGUMENT": (400, "Argument error"),
    "PORTAL_DELETED": (410, "Portal was deleted"),
    "WRONG_ENCODING": (200, "Wrong request encoding"),
    # batch
    "ERROR_BATCH_LENGTH_EXCEEDED": (400, "Max batch length exceeded"),
    "ERROR_BATCH_METHOD_NOT_ALLOWED": (405, "Method is not allowed for batch usage"),
    # im.notify.*
    "USER_ID_EMPTY": (400, "User ID can't be empty"),
    "MESSAGE_EMPTY": (400, "Message can't be empty"),
    "ATTACH_OVERSIZE": (400, "You have exceeded the maximum allowable size of attach"),
    "ATTACH_ERROR": (400, "Incorrect attach params"),
    "PARAMS_ERROR": (400, "Incorrect params"),
    "LAST_ID_AND_LAST_TYPE": (400, "Parameters LAST_ID and LAST_TYPE should be used together."),
    "LAST_ID_STRING": (400, "Last notification ID can't be string"),
    "ID_ERROR": (400, "Notification ID can't be empty"),
    "NOTIFY_VALUE_ERROR": (400, "Notification Value can't be empty"),
    "ANSWER_TEXT_ERROR": (400, "ANSWER_TEXT can't be empty"),
    # im.user.*
    "ID_EMPTY": (400, "User ID can't be empty"),
    "USER_NOT_EXISTS": (400, "User does not exist"),
    "INVALID_FORMAT": (400, "A wrong format for the ID field is passed"),
    # the authorisation server (OAuth)
    "invalid_request": (400, "The request is malformed"),
    "invalid_client": (400, "The client credentials are invalid"),
    "wrong_client": (200, "Wrong client"),
    "invalid_grant": (400, "The provided authorization grant is invalid or expired"),
}


class Refusal(Exception):
    """The portal says no. ``code``, ``status`` and ``text`` go into the answer."""

    def __init__(self, code: str, text: str | None = None, status: int | None = None) -> None:
        listed_status, listed_text = TABLE.get(code, (400, ""))
        self.code = code
        self.status = listed_status if status is None else status
        self.text = listed_text if text is None else text
        super().__init__(code)

    def envelope(self) -> dict[str, str]:
        """The error body: neither ``time`` nor ``result`` stand beside it."""
        return {"error": self.code, "error_description": self.text}

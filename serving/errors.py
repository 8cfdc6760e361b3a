"""Errors as TF Serving answers them: a canonical code, its HTTP status, `{"error": text}`."""

from __future__ import annotations

from enum import Enum


class Code(Enum):
    """Canonical status codes (google.rpc.Code) with the number and the HTTP status of each."""

    OK = (0, 200)
    CANCELLED = (1, 499)
    UNKNOWN = (2, 500)
    INVALID_ARGUMENT = (3, 400)
    DEADLINE_EXCEEDED = (4, 504)
    NOT_FOUND = (5, 404)
    ALREADY_EXISTS = (6, 409)
    PERMISSION_DENIED = (7, 403)
    RESOURCE_EXHAUSTED = (8, 429)
    FAILED_PRECONDITION = (9, 400)
    ABORTED = (10, 409)
    OUT_OF_RANGE = (11, 400)
    UNIMPLEMENTED = (12, 501)
    INTERNAL = (13, 500)
    UNAVAILABLE = (14, 503)
    DATA_LOSS = (15, 500)
    UNAUTHENTICATED = (16, 401)

    @property
    def number(self) -> int:
        return self.value[0]

    @property
    def http_status(self) -> int:
        return self.value[1]


_BY_NUMBER = {code.number: code for code in Code}


def code_of(number: int | None) -> Code:
    """The code with that number (as `tf.errors.OpError.error_code` has it); UNKNOWN for any other."""
    return _BY_NUMBER.get(-1 if number is None else number, Code.UNKNOWN)


class ApiError(Exception):
    """A request that gets an error answer; `str()` is the text that the client reads."""

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(message)
        self.code = code


def invalid(message: str) -> ApiError:
    """What a client did wrong: 400."""
    return ApiError(Code.INVALID_ARGUMENT, message)


def not_found(message: str) -> ApiError:
    """No such model or version: 404."""
    return ApiError(Code.NOT_FOUND, message)

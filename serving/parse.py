"""JSON text as TF Serving's parser (RapidJSON) takes it.

It differs from the standard: NaN, Inf and Infinity are numbers, a byte order mark is skipped, text
after the root object is ignored, the first of repeated keys wins, integers beyond 64 bits become
doubles. orjson reads the plain case; whatever it might read differently goes to the standard
library's parser, which can be told all of this.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

import orjson

from serving.errors import ApiError, invalid

_SHORT_INFINITY = re.compile(r'("(?:[^"\\]|\\.)*")|-NaN\b|\bInf\b')
_NUMBER_CUT_SHORT = re.compile(r"(?<=[0-9])(?:(?P<fraction>\.)|[eE][-+]?)")
_BEGUN = re.compile(r"n(?:ul?)?|t(?:ru?)?|f(?:a(?:ls?)?)?|-?(?:N(?:a(?!N))?|In?|Infi(?:n(?:it?)?)?)|-")
"""The beginning of a literal: an error's offset lies behind what could be read."""
_STRINGS_AND_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]')
_WORDS = {  # the standard library's words -> RapidJSON's
    "Expecting value": "Invalid value.",
    "Expecting property name enclosed in double quotes": "Missing a name for object member.",
    "Expecting ':' delimiter": "Missing a colon after a name of object member.",
    "Invalid control character at": "Invalid encoding in string.",
    "Unterminated string starting at": "Missing a closing quotation mark in string.",
    "Invalid \\escape": "Invalid escape character in string.",
    "Invalid \\uXXXX escape": "Incorrect hex digit after \\u escape in string.",
}


class _NumberTooBigError(ValueError):
    """A decimal beyond the double range."""


def parse(body: bytes) -> dict[str, Any]:
    """The request's JSON object; ApiError 400 in RapidJSON's words if it is none."""
    document = _plain(body)
    if document is None:
        document = _lenient(body)
    if not isinstance(document, dict):
        raise invalid(f"JSON Value: {shown(document)} Is not object")
    return document


def shown(value: Any) -> str:
    """A JSON value inside an error message, laid out as RapidJSON does, bounded."""
    try:
        text = json.dumps(value, ensure_ascii=False, indent=4)
    except RecursionError:
        return "(nested too deeply to be shown)"
    return text if len(text) <= 1000 else text[:1000] + "..."


def _plain(body: bytes) -> Any | None:
    """orjson's reading where it surely is RapidJSON's too, else None.

    orjson lets the last of repeated keys win, so every colon must belong to a key that is still there.
    """
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(document, dict):
        return document
    keys = len(document)
    inputs, instances = document.get("inputs"), document.get("instances")
    if isinstance(inputs, dict):
        keys += len(inputs)
    if isinstance(instances, list):
        keys += sum(len(row) for row in instances if isinstance(row, dict))
    return document if body.count(b":") == keys else None


def _lenient(body: bytes) -> Any:
    text = body.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape")
    if "Inf" in text or "-NaN" in text:
        text = _SHORT_INFINITY.sub(lambda m: m[1] or ("NaN" if m[0] == "-NaN" else "Infinity"), text)
    start = len(text) - len(text.lstrip(" \t\n\r"))
    if start == len(text):
        raise invalid("JSON Parse error: The document is empty" + (f". at offset: {start}" if start else ""))
    try:
        return _DECODER.raw_decode(text, start)[0]
    except json.JSONDecodeError as error:
        raise _parse_error(error, text) from None
    except RecursionError:
        raise invalid("JSON Parse error: Nesting is too deep. at offset: 0") from None
    except _NumberTooBigError:
        raise invalid("JSON Parse error: Number too big to be stored in double. at offset: 0") from None


def _parse_error(error: json.JSONDecodeError, text: str) -> ApiError:
    words, end = _WORDS.get(error.msg, error.msg), error.pos
    if error.msg == "Expecting value" and (begun := _BEGUN.match(text, end)):
        end = begun.end()
    elif error.msg == "Unterminated string starting at":
        end = len(text)
    elif error.msg == "Expecting ',' delimiter":
        if cut := _NUMBER_CUT_SHORT.match(text, end):
            words = f"Miss {'fraction part' if cut['fraction'] else 'exponent'} in number."
            end = cut.end()
        else:
            in_list = _innermost_bracket(text[:end]) == "["
            words = "Missing a comma or " + (
                "] after an array element." if in_list else "} after an object member."
            )
    offset = len(text[:end].encode("utf-8", "surrogatepass"))
    return invalid(f"JSON Parse error: {words} at offset: {offset}")


def _innermost_bracket(text: str) -> str:
    open_brackets = []
    for token in _STRINGS_AND_BRACKETS.findall(text):
        if token in ("[", "{"):
            open_brackets.append(token)
        elif token in ("]", "}"):
            open_brackets.pop()
    return open_brackets[-1] if open_brackets else ""


def _first_wins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    return found if len(found) == len(pairs) else dict(reversed(pairs))


def _integer(text: str) -> int | float:
    value = int(text) if len(text) <= 20 else float(text)
    return value if isinstance(value, int) and -(2**63) <= value < 2**64 else _decimal(text)


def _decimal(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise _NumberTooBigError
    return value


_DECODER = json.JSONDecoder(object_pairs_hook=_first_wins, parse_int=_integer, parse_float=_decimal)

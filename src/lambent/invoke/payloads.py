"""What an invocation carries in: the payload's size and that it is JSON, the client context.

The payload is parsed only to know that it is JSON, and passed on as it came. Parsing a megabyte takes about 3 ms and
holds the interpreter's lock wherever it runs, so it runs in place.
"""

import base64
import binascii

import orjson

from lambent.invoke import refusals
from lambent.invoke.limits import InvokeLimits


def checked_payload(body: bytes, *, limit: int, operation: str, limits: InvokeLimits) -> bytes:
    """The payload as the function gets it. Raises 413 or InvalidRequestContentException."""
    if len(body) > limit:
        raise refusals.too_large(limit, operation)
    if not body:
        return b"{}" if limits.empty_as_object else body
    if limits.validates_json:
        try:
            orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise refusals.not_json(f"{error.msg}: line {error.lineno}, column {error.colno}") from None
    return body


def checked_client_context(header: bytes, limits: InvokeLimits) -> str:
    """The header's base64, decoded to the JSON text that the function sees."""
    if len(header) > limits.client_context:
        raise refusals.bad_client_context(f"longer than {limits.client_context} bytes")
    try:
        decoded = base64.b64decode(header, validate=True)
        orjson.loads(decoded)
    except (binascii.Error, orjson.JSONDecodeError) as error:
        raise refusals.bad_client_context(type(error).__name__) from None
    return decoded.decode()

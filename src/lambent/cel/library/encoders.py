"""Base64, of CEL's encoders extension and of Koreo."""

import binascii
from typing import Any

from lambent.cel.errors import Fault
from lambent.cel.limits import bounded_text
from lambent.cel.registry import function


@function("base64.encode", "bytes -> string", "Bytes as base64.")
def base64_encode(data: bytes) -> str:
    return bounded_text(binascii.b2a_base64(data, newline=False).decode())


@function("base64.decode", "string -> bytes", "Bytes from base64, padding optional.")
def base64_decode(text: str) -> bytes:
    try:
        return binascii.a2b_base64(text + "=" * (-len(text) % 4), strict_mode=True) if text else b""
    except (binascii.Error, ValueError):
        raise Fault("conversion", "the string is not base64") from None


@function("b64encode", "string|bytes -> string", "Text (as UTF-8) or bytes as base64.", profile="koreo")
def b64encode(data: Any) -> str:
    return base64_encode(data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data)


@function("b64decode", "string -> string", "The UTF-8 text that base64 stands for, padding optional.", profile="koreo")
def b64decode(text: str) -> str:
    try:
        return base64_decode(text).decode()
    except UnicodeDecodeError:
        raise Fault("conversion", "the decoded bytes are not UTF-8") from None

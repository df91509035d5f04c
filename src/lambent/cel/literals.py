r"""String, bytes and number literals: from source text to value.

Escapes are those of the CEL specification. The `koreo` profile keeps an unknown escape as written (`"\."` is a
backslash and a dot), because regular expressions are written that way in existing Koreo documents.
"""

from typing import Final

from lambent.cel.values import INT_MAX, UINT_MAX, UInt

_SIMPLE: Final = {
    "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v",
    "\\": "\\", "?": "?", '"': '"', "'": "'", "`": "`",
}  # fmt: skip
_HEX_LENGTH: Final = {"x": 2, "X": 2, "u": 4, "U": 8}
_HEX_DIGITS: Final = frozenset("0123456789abcdefABCDEF")


class BadLiteral(Exception):
    """A literal that cannot be read; `offset` counts from the literal's first character."""

    def __init__(self, message: str, offset: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset


def string_value(token: str, *, keep_unknown: bool) -> str | bytes:
    """The value of a string or bytes literal with its prefix and quotes."""
    quote_at = 0
    while token[quote_at] not in "'\"":
        quote_at += 1
    prefix = token[:quote_at].lower()
    width = 3 if len(token) - quote_at >= 6 and token[quote_at] * 3 == token[quote_at : quote_at + 3] else 1
    body = token[quote_at + width : len(token) - width]
    is_bytes = "b" in prefix
    if "r" in prefix or "\\" not in body:
        return body.encode("utf-8", "surrogatepass") if is_bytes else body
    if is_bytes:
        return b"".join(_pieces(body, quote_at + width, is_bytes=True, keep_unknown=keep_unknown))
    return b"".join(_pieces(body, quote_at + width, is_bytes=False, keep_unknown=keep_unknown)).decode(
        "utf-8", "surrogatepass"
    )


def _pieces(body: str, offset: int, *, is_bytes: bool, keep_unknown: bool) -> list[bytes]:
    """The body as UTF-8 pieces, escapes replaced."""
    pieces: list[bytes] = []
    at = 0
    while (slash := body.find("\\", at)) >= 0:
        pieces.append(body[at:slash].encode("utf-8", "surrogatepass"))
        piece, at = _escape(body, slash, offset, is_bytes=is_bytes, keep_unknown=keep_unknown)
        pieces.append(piece)
    pieces.append(body[at:].encode("utf-8", "surrogatepass"))
    return pieces


def _escape(body: str, slash: int, offset: int, *, is_bytes: bool, keep_unknown: bool) -> tuple[bytes, int]:
    """The escape at `slash`: its bytes and where the text goes on."""
    letter = body[slash + 1]
    if letter in _SIMPLE:
        return _SIMPLE[letter].encode(), slash + 2
    code, end = _numeric_escape(body, slash, letter)
    if end and is_bytes and letter in "xX01234567":
        return bytes((code,)), end
    if end and not is_bytes and code <= 0x10FFFF and not 0xD800 <= code <= 0xDFFF:
        return chr(code).encode(), end
    if keep_unknown and not end:
        return body[slash : slash + 2].encode("utf-8", "surrogatepass"), slash + 2
    raise BadLiteral(f"invalid escape sequence \\{letter}", offset + slash)


def _numeric_escape(body: str, slash: int, letter: str) -> tuple[int, int]:
    """Code and end of a hexadecimal or octal escape; end 0 if it is neither."""
    length = _HEX_LENGTH.get(letter)
    if length:
        digits = body[slash + 2 : slash + 2 + length]
        if len(digits) == length and _HEX_DIGITS.issuperset(digits):
            return int(digits, 16), slash + 2 + length
    elif letter in "0123":
        digits = body[slash + 1 : slash + 4]
        if len(digits) == 3 and all(digit in "01234567" for digit in digits):
            return int(digits, 8), slash + 4
    return 0, 0


def number_value(token: str, *, negative: bool = False) -> int | float:
    """The value of a number literal; `negative` if a minus sign stands directly before it."""
    if token[-1] in "uU":
        unsigned = int(token[:-1], 16 if token[:2] in ("0x", "0X") else 10)
        if negative or unsigned > UINT_MAX:
            raise BadLiteral("unsigned integer out of range" if not negative else "an unsigned integer has no sign")
        return UInt(unsigned)
    if token[:2] in ("0x", "0X"):
        number = int(token, 16)
    elif token.isdigit():
        if len(token) > 20:
            raise BadLiteral("integer out of range")
        number = int(token)
    else:
        return -float(token) if negative else float(token)
    if number > INT_MAX + negative:
        raise BadLiteral("integer out of range")
    return -number if negative else number

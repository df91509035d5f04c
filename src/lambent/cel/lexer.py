"""Expression text to tokens.

One regular expression finds the next token. A token is `(kind, text, offset)`; the kinds are `name`, `number`,
`string`, `field` (a quoted field name), `end`, and for an operator the operator itself. Literals stay text here; the
parser asks `literals` for their values.
"""

import re
from typing import Final, NamedTuple

from lambent.cel.errors import located

MAX_TEXT_LENGTH: Final = 100_000


class Token(NamedTuple):
    """One token: its kind, its text and where it begins."""

    kind: str
    text: str
    pos: int


_TOKEN: Final = re.compile(
    r"""(?:[ \t\n\r\f]+|//[^\n]*)*
    (?:
      (?P<string>
          (?:[rR][bB]?|[bB][rR])(?:'''(?s:.*?)'''|\"""(?s:.*?)\"""|'[^'\n\r]*'|"[^"\n\r]*")
        | [bB]?(?:'''(?:[^\\]|\\(?s:.))*?'''|\"""(?:[^\\]|\\(?s:.))*?\"""
              |'(?:[^'\\\n\r]|\\.)*'|"(?:[^"\\\n\r]|\\.)*")
      )
    | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
    | (?P<number>0[xX][0-9a-fA-F]+[uU]?
        |(?:[0-9]+\.[0-9]+|\.[0-9]+)(?:[eE][+-]?[0-9]+)?|[0-9]+[eE][+-]?[0-9]+|[0-9]+[uU]?)
    | (?P<field>`[A-Za-z0-9_./\- ]+`)
    | (?P<op>&&|\|\||[=!<>]=|[-+*/%!<>?:.,()\[\]{}])
    | (?P<end>\Z)
    )""",
    re.VERBOSE,
)


def tokens(text: str) -> list[Token]:
    """All tokens of an expression, the last of kind `end`.

    Errors: `CelError` (syntax) at the first character that begins no token, or for a text above 100 000 characters.
    """
    if len(text) > MAX_TEXT_LENGTH:
        raise located("syntax", f"expression of more than {MAX_TEXT_LENGTH} characters", text, 0)
    found: list[Token] = []
    at = 0
    match = _TOKEN.match
    while True:
        hit = match(text, at)
        if hit is None:
            raise _bad_character(text, at)
        kind = hit.lastgroup or "end"
        start = hit.start(kind)
        token = hit.group(kind)
        at = hit.end()
        found.append(Token(token if kind == "op" else kind, token, start))
        if kind == "end":
            return found
        if kind == "number" and at < len(text) and (text[at].isalnum() or text[at] == "_"):
            raise located("syntax", "a number ends in a letter", text, at)


_BLANK: Final = re.compile(r"(?:[ \t\n\r\f]+|//[^\n]*)*")


def _bad_character(text: str, at: int) -> Exception:
    blank = _BLANK.match(text, at)
    at = blank.end() if blank else at
    rest = text[at : at + 3].lstrip("rRbB")
    if rest[:1] in ("'", '"'):
        return located("syntax", "string without its closing quote", text, at)
    if text[at] == "=":
        return located("syntax", "unexpected '='; equality is '=='", text, at)
    if text[at] in "&|":
        return located("syntax", f"unexpected '{text[at]}'; did you mean '{text[at] * 2}'?", text, at)
    return located("syntax", f"unexpected character U+{ord(text[at]):04X}", text, at)

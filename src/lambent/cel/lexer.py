"""Expression text to tokens.

One regular expression finds the next token. The kinds are `name`, `number`, `string`, `field` (a quoted field name),
`end`, and for an operator the operator itself. Literals stay text here; the parser asks `literals` for their values.
Tokens are kept as three lists, because making an object for each would double the time.
"""

import re
from typing import Final, NamedTuple

from lambent.cel.errors import CelError, located

MAX_TEXT_LENGTH: Final = 64 * 1024


class Tokens(NamedTuple):
    """All tokens of a text: their kinds, their texts, and where each begins; the last is of kind `end`."""

    kinds: list[str]
    texts: list[str]
    starts: list[int]


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
    | (?P<bad>(?s:.))
    )""",
    re.VERBOSE,
)


def tokens(text: str) -> Tokens:
    """The tokens of an expression.

    Errors: `CelError` (syntax) at the first character that begins no token, or for a text above 100 000 characters.
    """
    if len(text) > MAX_TEXT_LENGTH:
        raise located("syntax", f"expression of more than {MAX_TEXT_LENGTH} characters", text, 0)
    found = Tokens([], [], [])
    kinds, texts, starts = found.kinds.append, found.texts.append, found.starts.append
    for hit in _TOKEN.finditer(text):
        kind = hit.lastgroup or "end"
        token = hit[kind]
        start = hit.end() - len(token)
        kinds(token if kind == "op" else kind)
        texts(token)
        starts(start)
        if kind == "end":
            break
        if kind == "bad":
            raise _bad_character(text, start)
        if kind == "number" and text[hit.end() : hit.end() + 1].isidentifier():
            raise located("syntax", "a number ends in a letter", text, hit.end())
    return found


def _bad_character(text: str, at: int) -> CelError:
    """What is probably wrong at a character that begins no token."""
    char = text[at]
    if char in "'\"":
        return located("syntax", "string without its closing quote", text, at)
    if char == "=":
        return located("syntax", "unexpected '='; equality is '=='", text, at)
    if char in "&|":
        return located("syntax", f"unexpected '{char}'; did you mean '{char * 2}'?", text, at)
    return located("syntax", f"unexpected character U+{ord(char):04X}", text, at)

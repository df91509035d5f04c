r"""Whether a pattern is one of Go's regular expressions, and if not, why, in the words of Go's parser.

Go's syntax is RE2's: no look-around, no back-references. A pattern is only read here, never matched. Not found: names
of Unicode classes that do not exist, and repetitions that multiply beyond a thousand. Source: Go, `regexp/syntax`.
"""

import re
from collections.abc import Iterator

_REPEAT = re.compile(r"\{([0-9]+)(?:(,)([0-9]*))?\}")
_NAMED = re.compile(r"\(\?P?<([^>]*)>")
_CAPTURE = re.compile(r"[0-9A-Za-z_]+")
_FLAGS = re.compile(r"\(\?(?:[imsU]+(?:-[imsU]+)?|-[imsU]+)?[:)]")
_UNICODE_CLASS = re.compile(r"\\[pP](?:\{[^}]*\}|[CLMNPSZ])")
_HEX = re.compile(r"x(?:[0-9A-Fa-f]{2}|\{[0-9A-Fa-f]{1,6}\})")
_OCTAL = re.compile(r"0[0-7]{0,2}|[1-7][0-7]{1,2}")
_ASCII_CLASS = re.compile(r"\[:(\^?\w*):\]")
_ASCII_NAMES = frozenset(
    [
        "alnum",
        "alpha",
        "ascii",
        "blank",
        "cntrl",
        "digit",
        "graph",
        "lower",
        "print",
        "punct",
        "space",
        "upper",
        "word",
        "xdigit",
    ]
)
_CLASSES = ("d", "D", "s", "S", "w", "W")
_MOST_REPEATS = 1000


class _Refused(Exception):
    """The text is Go's."""


def pattern_error(pattern: str) -> str | None:
    """Why Go would not compile a pattern, or None."""
    try:
        _Reader(pattern).read()
    except _Refused as error:
        return str(error)
    return None


def _refuse(what: str, where: str) -> _Refused:
    return _Refused(f"error parsing regexp: {what}: `{where}`")


class _Reader:
    def __init__(self, pattern: str) -> None:
        self.text = pattern
        self.at = 0
        self.open: list[bool] = []
        self.is_empty = True  # nothing stands before a repetition: at the start, after ( and |

    def read(self) -> None:
        last = -1  # where a repetition began that ends here
        while self.at < len(self.text):
            start = self.at
            is_repeat = self._step(last)
            last = start if is_repeat else -1
        if self.open:
            raise _refuse("missing closing )", self.text)

    def _step(self, last: int) -> bool:
        """Reads one operator or atom; whether it was a repetition."""
        char = self.text[self.at]
        if char in "*+?" or (char == "{" and _REPEAT.match(self.text, self.at)):
            self._repetition(char, last)
            return True
        if char == "(":
            self._group()
        elif char == "|":
            self.at, self.is_empty = self.at + 1, True
        elif char == ")":
            self._close()
        else:
            if char == "[":
                self._bracket()
            elif char == "\\":
                self._escape()
            else:
                self.at += 1
            self.is_empty = False
        return False

    def _repetition(self, char: str, last: int) -> None:
        start = self.at
        found = _REPEAT.match(self.text, start) if char == "{" else None
        self.at = found.end() if found else start + 1
        if found:
            low = int(found[1])
            high = int(found[3]) if found[3] else None if found[2] else low
            if low > _MOST_REPEATS or (high is not None and (high > _MOST_REPEATS or low > high)):
                raise _refuse("invalid repeat count", found[0])
        if self.text.startswith("?", self.at):
            self.at += 1
        if last >= 0:
            raise _refuse("invalid nested repetition operator", self.text[last : self.at])
        if self.is_empty:
            raise _refuse("missing argument to repetition operator", self.text[start : self.at])

    def _group(self) -> None:
        rest = self.text[self.at :]
        if not rest.startswith("(?"):
            self.at += 1
        elif rest.startswith(("(?P<", "(?<")):
            self._named(rest)
        else:
            found = _FLAGS.match(rest)
            if found is None:
                raise _refuse("invalid or unsupported Perl syntax", _up_to_bad_flag(rest))
            self.at += found.end()
            if found[0].endswith(")"):
                return  # flags for what follows, no group
        self.open.append(self.is_empty)
        self.is_empty = True

    def _named(self, rest: str) -> None:
        found = _NAMED.match(rest)
        if found is None:
            raise _refuse("invalid named capture", rest)
        if not _CAPTURE.fullmatch(found[1]):
            raise _refuse("invalid named capture", found[0])
        self.at += found.end()

    def _close(self) -> None:
        if not self.open:
            raise _refuse("unexpected )", self.text)
        self.open.pop()
        self.at, self.is_empty = self.at + 1, False

    def _bracket(self) -> None:
        start = self.at
        self.at += 2 if self.text.startswith("[^", start) else 1
        is_first = True
        while is_first or not self.text.startswith("]", self.at):
            is_first = False
            if not self._class():
                self._range(start)
        self.at += 1

    def _class(self) -> bool:
        r"""Whether a named class stands here: `[:alpha:]`, `\d`, `\pL`."""
        found = _ASCII_CLASS.match(self.text, self.at)
        if found:
            if found[1].removeprefix("^") not in _ASCII_NAMES:
                raise _refuse("invalid character class range", found[0])
            self.at = found.end()
            return True
        if self.text[self.at : self.at + 1] == "\\" and self.text[self.at + 1 : self.at + 2] in _CLASSES:
            self.at += 2
            return True
        return self._unicode()

    def _unicode(self) -> bool:
        if self.text[self.at : self.at + 2] not in ("\\p", "\\P"):
            return False
        found = _UNICODE_CLASS.match(self.text, self.at)
        if not found:
            end = len(self.text) if self.text.startswith("{", self.at + 2) else self.at + 3
            raise _refuse("invalid character class range", self.text[self.at : end])
        self.at = found.end()
        return True

    def _range(self, start: int) -> None:
        begin = self.at
        low = self._character(start)
        if self.text.startswith("-", self.at) and self.text[self.at + 1 : self.at + 2] not in ("", "]"):
            self.at += 1
            if self._character(start) < low:
                raise _refuse("invalid character class range", self.text[begin : self.at])

    def _character(self, start: int) -> str:
        """One character of a bracket expression; an escaped one is taken for itself where its value is known."""
        if self.at >= len(self.text):
            raise _refuse("missing closing ]", self.text[start:])
        if self.text[self.at] != "\\":
            self.at += 1
            return self.text[self.at - 1]
        begin = self.at
        self._plain_escape()
        return _value(self.text[begin + 1 : self.at])

    def _escape(self) -> None:
        after = self.text[self.at + 1 : self.at + 2]
        if after == "Q":
            end = self.text.find("\\E", self.at)
            self.at = len(self.text) if end < 0 else end + 2
        elif after and after in "AbBzdDsSwW":
            self.at += 2
        elif not self._unicode():
            self._plain_escape()

    def _plain_escape(self) -> None:
        start = self.at
        char = self.text[start + 1 : start + 2]
        if not char:
            raise _refuse("trailing backslash at end of expression", "")
        found = _HEX.match(self.text, start + 1) or _OCTAL.match(self.text, start + 1)
        if found:
            self.at = found.end()
        elif char in "afnrtv" or (char.isascii() and not char.isalnum()):
            self.at += 2
        else:
            raise _refuse("invalid escape sequence", self.text[start : start + (4 if char == "x" else 2)])


def _value(escaped: str) -> str:
    if escaped.startswith("x"):
        return chr(int(escaped[1:].strip("{}"), 16))
    if escaped[0] in "01234567":
        return chr(int(escaped, 8))
    return {"a": "\a", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}.get(escaped, escaped)


def _up_to_bad_flag(rest: str) -> str:
    """What Go repeats of a group it does not know: up to the first sign that is no flag."""
    flags: Iterator[int] = (at for at, sign in enumerate(rest) if at > 1 and sign not in "imsU-")
    return rest[: next(flags, len(rest) - 1) + 1]

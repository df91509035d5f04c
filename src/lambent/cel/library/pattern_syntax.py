r"""RE2's pattern syntax, read and put into that of the `regex` package.

Sets of characters are written out as ranges, so that `\d`, `\w`, `\s`, `[[:alpha:]]` and `\b` mean ASCII as in RE2;
`$` becomes the end of the text unless the pattern is multi-line. While reading, the automaton of the pattern is built
for `pattern_cost`. The koreo profile also takes look-around, back-references and atomic groups.
"""

from typing import Final, NamedTuple

from lambent.cel.errors import Fault
from lambent.cel.library import pattern_sets as sets
from lambent.cel.library.pattern_cost import EMPTY, Automaton, Fragment, is_exponential, is_nested
from lambent.cel.library.pattern_sets import Ranges

MAX_REPEAT: Final = 1000
MAX_DEPTH: Final = 60
_WORD: Final = "[0-9A-Za-z_]"
_BOUNDARY: Final = {
    "b": f"(?:(?<={_WORD})(?!{_WORD})|(?<!{_WORD})(?={_WORD}))",
    "B": f"(?:(?<={_WORD})(?={_WORD})|(?<!{_WORD})(?!{_WORD}))",
}
_CONTROL: Final = {"a": 7, "f": 12, "t": 9, "n": 10, "r": 13, "v": 11}
_LOOK: Final = ("?=", "?!", "?<=", "?<!")


class Translated(NamedTuple):
    """A pattern for `regex`, and what it may cost (see `pattern_cost`)."""

    text: str
    nested: bool
    exponential: bool


def translate(pattern: str, *, koreo: bool) -> Translated:
    """Read a pattern. Errors: `Fault` (regex) for one that is malformed or uses what the profile does not have."""
    reader = _Reader(pattern, koreo)
    text, _ = reader.alternatives(0)
    if reader.at < len(pattern):
        raise _bad("a ')' without its '('")
    automata = [reader.automaton, *reader.inner]
    unclear = reader.has_references and any(each.edges for each in automata)
    exponential = any(is_exponential(each) for each in automata)
    return Translated(text, exponential or unclear or any(is_nested(each) for each in automata), exponential)


def _bad(what: str) -> Fault:
    return Fault("regex", f"the pattern has {what}")


class _Reader:
    def __init__(self, pattern: str, koreo: bool) -> None:
        self.pattern = pattern
        self.koreo = koreo
        self.at = 0
        self.automaton = Automaton()
        self.inner: list[Automaton] = []
        self.has_references = False
        self.ignores_case = False
        self.multiline = False
        self.flags: list[str] = []

    def alternatives(self, depth: int) -> tuple[str, Fragment]:
        """A group's content. Flags set within it hold to its end, over the `|` too, so they are repeated there."""
        if depth > MAX_DEPTH:
            raise _bad("too many nested groups")
        outer, multiline = self.flags, self.multiline
        self.flags = []
        text, fragment = self._sequence(depth)
        while self._take("|"):
            in_force = self.flags.copy()
            more, other = self._sequence(depth)
            for flags in reversed(in_force):
                more = f"(?{flags}:{more})"
            text, fragment = f"{text}|{more}", self.automaton.choice(fragment, other)
        self.flags, self.multiline = outer, multiline
        return text, fragment

    def _take(self, token: str) -> bool:
        if self.pattern.startswith(token, self.at):
            self.at += len(token)
            return True
        return False

    def _sequence(self, depth: int) -> tuple[str, Fragment]:
        pieces: list[str] = []
        whole = EMPTY
        while self.at < len(self.pattern) and self.pattern[self.at] not in "|)":
            text, fragment = self._atom(depth)
            text, fragment = self._repeated(text, fragment)
            pieces.append(text)
            whole = self.automaton.sequence(whole, fragment)
        return "".join(pieces), whole

    def _atom(self, depth: int) -> tuple[str, Fragment]:
        if self._bounds() is not None:
            raise _bad("a repetition of nothing")
        char = self.pattern[self.at]
        self.at += 1
        if char == "(":
            return self._group(depth)
        if char == "[":
            return self._bracket()
        if char == "\\":
            return self._escape()
        if char == ".":
            return ".", self.automaton.position(sets.ANY)
        if char == "$":
            return ("$" if self.multiline else r"\Z"), EMPTY
        if char == "^":
            return "^", EMPTY
        return self._characters(((ord(char), ord(char)),), literal=char)

    def _characters(self, ranges: Ranges, *, literal: str = "", raw: str = "") -> tuple[str, Fragment]:
        """One character of a set, `raw` standing for further members in the syntax of `regex`."""
        known = sets.ANY if raw else sets.both_cases(ranges) if self.ignores_case else ranges
        fragment = self.automaton.position(known)
        if literal.isalnum() or literal in ("-", "_", "/", ":", "@", " "):
            return literal if literal != " " else "[ ]", fragment
        return f"[{sets.written(ranges)}{raw}]", fragment

    # --- repetition

    def _repeated(self, text: str, fragment: Fragment) -> tuple[str, Fragment]:
        bounds = self._bounds()
        if bounds is None:
            return text, fragment
        written, least, most = bounds
        if not self.koreo and max(least, most or 0) > MAX_REPEAT:
            raise _bad(f"a repetition above {MAX_REPEAT}")
        if self._take("?"):
            written += "?"
        elif self.pattern[self.at : self.at + 1] == "+":
            if not self.koreo:
                raise _bad("a repetition of a repetition")
            self.at += 1
            written += "+"
        if self._bounds() is not None:
            raise _bad("a repetition of a repetition")
        return f"(?:{text}){written}" if fragment is EMPTY else text + written, self.automaton.repeat(
            fragment, least, most
        )

    def _bounds(self) -> tuple[str, int, int | None] | None:
        """The repetition that stands next: its text, least and most; None if there is none."""
        for token, least, most in (("*", 0, None), ("+", 1, None), ("?", 0, 1)):
            if self._take(token):
                return token, least, most
        end = self.pattern.find("}", self.at)
        if self.pattern[self.at : self.at + 1] != "{" or end < 0:
            return None
        low, comma, high = self.pattern[self.at + 1 : end].partition(",")
        if not low.isdigit() or (high and not high.isdigit()) or len(low + high) > 8 or not low.isascii():
            return None
        self.at = end + 1
        most = int(high) if high else None if comma else int(low)
        if most is not None and most < int(low):
            raise _bad("a repetition whose bounds are in the wrong order")
        return f"{{{low}{comma}{high}}}", int(low), most

    # --- groups

    def _group(self, depth: int) -> tuple[str, Fragment]:
        if not self.pattern.startswith("?", self.at):
            return self._closed("(", depth)
        for look in _LOOK:
            if self._take(look):
                return self._look(look, depth)
        if self._take("?:"):
            return self._closed("(?:", depth)
        if self._take("?P<") or self._take("?<"):
            return self._closed(f"(?P<{self._until('>')}>", depth)
        if self.koreo and self._take("?>"):
            return self._closed("(?>", depth)
        if self.koreo and self._take("?P="):
            return self._reference(f"(?P={self._until(')')})")
        return self._flags(depth)

    def _closed(self, opening: str, depth: int) -> tuple[str, Fragment]:
        text, fragment = self.alternatives(depth + 1)
        if not self._take(")"):
            raise _bad("a '(' without its ')'")
        return f"{opening}{text})", fragment

    def _until(self, closing: str) -> str:
        end = self.pattern.find(closing, self.at)
        name = self.pattern[self.at : end]
        if end < 0 or not name.isidentifier() or not name.isascii():
            raise _bad("a malformed group name")
        self.at = end + 1
        return name

    def _look(self, opening: str, depth: int) -> tuple[str, Fragment]:
        if not self.koreo:
            raise _bad("look-around, which this profile does not allow")
        outer, self.automaton = self.automaton, Automaton()
        text, _ = self._closed(f"({opening}", depth)
        self.inner.append(self.automaton)
        self.automaton = outer
        return text, EMPTY

    def _reference(self, text: str) -> tuple[str, Fragment]:
        if not self.koreo:
            raise _bad("a back-reference, which this profile does not allow")
        self.has_references = True
        return text, self.automaton.position(sets.ANY)

    def _flags(self, depth: int) -> tuple[str, Fragment]:
        end = self.at + 1
        while end < len(self.pattern) and self.pattern[end] in "imsU-":
            end += 1
        flags, closing = self.pattern[self.at + 1 : end], self.pattern[end : end + 1]
        if not flags or closing not in (":", ")") or "-" in flags[-1:] or flags.count("-") > 1:
            raise _bad("a group of a kind that is not known or not allowed here")
        # U swaps greedy and reluctant, which does not change whether a pattern matches.
        flags = flags.replace("U", "").rstrip("-")
        on = flags.partition("-")[0]
        self.ignores_case = self.ignores_case or "i" in on
        before, self.multiline = self.multiline, "m" in on or (self.multiline and "m" not in flags)
        self.at = end + 1
        if closing == ":":
            found = self._closed(f"(?{flags}:", depth)
            self.multiline = before
            return found
        self.flags.append(flags)
        text, fragment = self._sequence(depth)
        return f"(?{flags}:{text})", fragment

    # --- single characters

    def _escape(self) -> tuple[str, Fragment]:
        letter = self.pattern[self.at : self.at + 1]
        if letter in _BOUNDARY:
            self.at += 1
            return _BOUNDARY[letter], EMPTY
        if letter in ("A", "z"):
            self.at += 1
            return (r"\A" if letter == "A" else r"\Z"), EMPTY
        if letter == "Q":
            return self._quoted()
        if letter in tuple("123456789") and not self._is_octal():
            self.at += 1
            return self._reference(f"(?:\\{letter})")
        ranges, raw = self._member()
        return self._characters(ranges, raw=raw)

    def _quoted(self) -> tuple[str, Fragment]:
        r"""`\Q...\E`: everything literally."""
        end = self.pattern.find(r"\E", self.at)
        content = self.pattern[self.at + 1 : end if end >= 0 else len(self.pattern)]
        self.at = end + 2 if end >= 0 else len(self.pattern)
        pieces, whole = [], EMPTY
        for char in content:
            text, fragment = self._characters(((ord(char), ord(char)),))
            pieces.append(text)
            whole = self.automaton.sequence(whole, fragment)
        return "".join(pieces), whole

    def _member(self) -> tuple[Ranges, str]:
        """The characters an escape stands for (the backslash is read): ranges, or raw text for Unicode classes."""
        letter = self.pattern[self.at : self.at + 1]
        self.at += 1
        if letter.lower() in sets.PERL and letter:
            ranges = sets.PERL[letter.lower()]
            return (ranges if letter.islower() else sets.complement(ranges)), ""
        if letter in ("p", "P") and letter:
            return (), f"\\{letter}{{{self._class_name()}}}"
        if letter in _CONTROL:
            return ((_CONTROL[letter], _CONTROL[letter]),), ""
        if letter == "x":
            return self._hexadecimal()
        if letter == "0" or (letter.isdigit() and self._is_octal(before=1)):
            return self._octal(letter)
        if not letter or (letter.isalnum() and letter.isascii()):
            raise _bad("an escape that is not known")
        return ((ord(letter), ord(letter)),), ""

    def _is_octal(self, before: int = 0) -> bool:
        """Whether an escape that begins with a digit is a character in octal, which takes two digits at least."""
        start = self.at - before
        return all(
            digit and digit in "01234567"
            for digit in (self.pattern[start : start + 1], self.pattern[start + 1 : start + 2])
        )

    def _octal(self, digits: str) -> tuple[Ranges, str]:
        """One to three octal digits."""
        while len(digits) < 3 and self.pattern[self.at : self.at + 1] in tuple("01234567"):
            digits += self.pattern[self.at]
            self.at += 1
        return ((int(digits, 8),) * 2,), ""

    def _class_name(self) -> str:
        if self._take("{"):
            return self._until("}") if not self._take("^") else "^" + self._until("}")
        name = self.pattern[self.at : self.at + 1]
        if not name.isalpha():
            raise _bad("a malformed Unicode class")
        self.at += 1
        return name

    def _hexadecimal(self) -> tuple[Ranges, str]:
        if self._take("{"):
            end = self.pattern.find("}", self.at)
            digits, after = self.pattern[self.at : end], end + 1
        else:
            digits, after = self.pattern[self.at : self.at + 2], self.at + 2
        if not digits or len(digits) > 6 or any(digit not in "0123456789abcdefABCDEF" for digit in digits):
            raise _bad("a malformed hexadecimal escape")
        self.at = after
        code = min(int(digits, 16), sets.LAST)
        return ((code, code),), ""

    def _bracket(self) -> tuple[str, Fragment]:
        negated = self._take("^")
        ranges: list[tuple[int, int]] = []
        raw: list[str] = []
        first = True
        while first or not self.pattern.startswith("]", self.at):
            if self.at >= len(self.pattern):
                raise _bad("a '[' without its ']'")
            first = False
            members, text = self._bracket_member()
            ranges += members
            raw.append(text)
        self.at += 1
        found = sets.normal(ranges)
        # Written as negated rather than as the complement, since ignoring case comes before negation.
        known = sets.both_cases(found) if self.ignores_case else found
        known = sets.ANY if any(raw) else sets.complement(known) if negated else known
        return f"[{'^' * negated}{sets.written(found)}{''.join(raw)}]", self.automaton.position(known)

    def _bracket_member(self) -> tuple[Ranges, str]:
        """One member of a bracket expression: a class, a character or a range."""
        if self.pattern.startswith("[:", self.at) and (end := self.pattern.find(":]", self.at)) > 0:
            name = self.pattern[self.at + 2 : end]
            self.at = end + 2
            if name.removeprefix("^") not in sets.POSIX:
                raise _bad("a character class that is not known")
            named = sets.POSIX[name.removeprefix("^")]
            return (sets.complement(named) if name.startswith("^") else named), ""
        low, raw = self._bracket_character()
        ahead = self.pattern[self.at : self.at + 2]
        if raw or len(low) != 1 or low[0][0] != low[0][1] or ahead[:1] != "-" or ahead[1:] in ("]", ""):
            return low, raw
        self.at += 1
        high, raw = self._bracket_character()
        if raw or len(high) != 1 or high[0][1] < low[0][0] or high[0][0] != high[0][1]:
            raise _bad("a range whose ends are in the wrong order")
        return ((low[0][0], high[0][1]),), ""

    def _bracket_character(self) -> tuple[Ranges, str]:
        char = self.pattern[self.at]
        self.at += 1
        if char != "\\":
            return ((ord(char), ord(char)),), ""
        if self.pattern.startswith("b", self.at) and self.koreo:
            self.at += 1
            return ((8, 8),), ""
        return self._member()

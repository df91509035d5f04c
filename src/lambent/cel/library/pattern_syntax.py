"""RE2's pattern syntax put into that of the `regex` package.

The two differ where it would be noticed: `$` is the end of the text and not also before a final newline, `\\z` is
spelled `\\Z`, and `\\d`, `\\w`, `\\s` mean ASCII. Also found here: what RE2 does not have (look-around,
back-references), and repetitions of repetitions, which a backtracking matcher may take exponential time for.
"""

from typing import Final, NamedTuple

from lambent.cel.errors import Fault

_CLASSES: Final = {"d": "0-9", "w": "0-9A-Za-z_", "s": r"\t\n\f\r "}
_REPEATS: Final = "*+{"


class Translated(NamedTuple):
    """The pattern for `regex`, and whether matching may explode."""

    text: str
    explosive: bool


def translate(pattern: str, *, koreo: bool) -> Translated:
    """Translate a pattern. Errors: `Fault` (regex) for what the profile does not allow."""
    return _Translation(pattern, koreo).run()


class _Translation:
    def __init__(self, pattern: str, koreo: bool) -> None:
        self.pattern = pattern
        self.koreo = koreo
        self.out: list[str] = []
        self.repeats_inside: list[bool] = [False]
        self.explosive = False
        self.multiline = "(?m" in pattern or "(?im" in pattern or "(?sm" in pattern

    def run(self) -> Translated:
        at = 0
        while at < len(self.pattern):
            at = self._step(at)
        return Translated("".join(self.out), self.explosive)

    def _step(self, at: int) -> int:
        char = self.pattern[at]
        if char == "\\":
            return self._escape(at)
        if char == "[":
            return self._set(at)
        if char == "(":
            return self._open(at)
        if char == ")":
            return self._close(at)
        if char == "$" and not self.multiline:
            self.out.append(r"\Z")
            return at + 1
        if char in "*+" or (char == "{" and self._unbounded(at)):
            self.repeats_inside[-1] = True
        self.out.append(char)
        return at + 1

    def _escape(self, at: int) -> int:
        letter = self.pattern[at + 1 : at + 2]
        if not letter:
            raise Fault("regex", "the pattern ends in a backslash")
        if letter in _CLASSES:
            self.out.append(f"[{_CLASSES[letter]}]")
        elif letter.lower() in _CLASSES:
            self.out.append(f"[^{_CLASSES[letter.lower()]}]")
        elif letter == "z":
            self.out.append(r"\Z")
        elif letter.isdigit() and letter != "0" and not self.koreo:
            raise Fault("regex", "back-references are not allowed in a pattern")
        elif letter in "bB":
            self.out.append(f"(?a:\\{letter})")
        else:
            self.out.append("\\" + letter)
        return at + 2

    def _set(self, at: int) -> int:
        """A character set, copied but for the ASCII classes."""
        end = at + 1
        self.out.append("[")
        if self.pattern[end : end + 1] == "^":
            self.out.append("^")
            end += 1
        first = True
        while end < len(self.pattern) and (self.pattern[end] != "]" or first):
            first = False
            if self.pattern.startswith("[:", end) and (stop := self.pattern.find(":]", end)) > 0:
                self.out.append(self.pattern[end : stop + 2])
                end = stop + 2
            elif self.pattern[end] == "\\" and end + 1 < len(self.pattern):
                letter = self.pattern[end + 1]
                self.out.append(_CLASSES.get(letter, "\\" + letter))
                end += 2
            else:
                self.out.append("\\[" if self.pattern[end] == "[" else self.pattern[end])
                end += 1
        self.out.append("]")
        return end + 1

    def _open(self, at: int) -> int:
        self.repeats_inside.append(False)
        head = self.pattern[at : at + 4]
        if not self.koreo and head.startswith(("(?=", "(?!", "(?<=", "(?<!", "(?>", "(?(", "(?P=", "(?P>")):
            raise Fault("regex", "look-around, back-references and atomic groups are not allowed in a pattern")
        self.out.append("(")
        return at + 1

    def _close(self, at: int) -> int:
        inside = self.repeats_inside.pop() if len(self.repeats_inside) > 1 else False
        after = self.pattern[at + 1 : at + 2]
        repeated = after in ("*", "+") or (after == "{" and self._unbounded(at + 1))
        if inside and repeated:
            self.explosive = True
            if not self.koreo:
                raise Fault("regex", "the pattern repeats a repetition and may take exponential time")
        self.repeats_inside[-1] = self.repeats_inside[-1] or inside
        self.out.append(")")
        return at + 1

    def _unbounded(self, at: int) -> bool:
        """Whether `{` at this place begins a repetition without an upper bound."""
        end = self.pattern.find("}", at)
        return end > 0 and self.pattern[at + 1 : end].endswith(",") and self.pattern[at + 1 : end - 1].isdigit()

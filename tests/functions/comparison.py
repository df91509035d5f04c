"""Compares an answer of ours with a recorded one of AWS, placeholders unified.

A placeholder leaf (`<uuid:2>`) stands for one value wherever it appears, and two numbers of one kind for two values, so
`<uuid:2>` reappearing proves that a RevisionId did not change. Unnumbered ones (`<code-size>`) stand for anything.
Placeholders inside a longer text match by pattern. Of `ResponseMetadata` only the status code counts. Every missing
and every extra member is a difference. Not here: how the answers were got.
"""

import re
from typing import Any

_MARK = re.compile(r"<([a-z0-9_-]+?)(?::(\d+))?>")
_DAY = r"\d{4}-\d\d-\d\d"
_TIMES = {
    "date": re.compile(_DAY + r"T\d\d:\d\d:\d\d\.\d{3}\+0000"),
    "datetime": re.compile(_DAY + r"[T ]\d\d:\d\d:\d\d.*"),
}
_FIXED = {"partition": "aws", "region": "us-east-1"}


class Comparison:
    """One scenario: bindings last over its steps."""

    def __init__(self) -> None:
        self._values: dict[str, str] = {}
        self._marks: dict[tuple[str, str], str] = {}
        self.differences: list[str] = []

    def compare(self, recorded: Any, actual: Any, path: str) -> None:
        """Adds what differs, by path."""
        if isinstance(recorded, dict) and isinstance(actual, dict):
            self._compare_members(recorded, actual, path)
        elif isinstance(recorded, list) and isinstance(actual, list):
            if len(recorded) != len(actual):
                self._differ(path, f"{len(recorded)} entries", f"{len(actual)} entries")
            for index, (want, have) in enumerate(zip(recorded, actual, strict=False)):
                self.compare(want, have, f"{path}[{index}]")
        elif isinstance(recorded, str):
            self._compare_text(recorded, actual, path)
        elif recorded != actual:
            self._differ(path, recorded, actual)

    def _compare_members(self, recorded: dict[str, Any], actual: dict[str, Any], path: str) -> None:
        if "HTTPStatusCode" in recorded:
            recorded = {"HTTPStatusCode": recorded["HTTPStatusCode"]}
            actual = {"HTTPStatusCode": actual.get("HTTPStatusCode")}
        for key in sorted(recorded.keys() | actual.keys()):
            if key not in actual:
                self._differ(f"{path}.{key}", recorded[key], "nothing")
            elif key not in recorded:
                self._differ(f"{path}.{key}", "nothing", actual[key])
            else:
                self.compare(recorded[key], actual[key], f"{path}.{key}")

    def _compare_text(self, recorded: str, actual: Any, path: str) -> None:
        if recorded in _TIMES:
            if not _TIMES[recorded].fullmatch(str(actual)):
                self._differ(path, "a time", actual)
            return
        marks = list(_MARK.finditer(recorded))
        if not marks:
            if recorded != actual:
                self._differ(path, recorded, actual)
            return
        found = self._pattern(recorded, marks).fullmatch(str(actual))
        if found is None or not all(self._bind(mark, text) for mark, text in zip(marks, found.groups(), strict=True)):
            self._differ(path, self._shown(recorded), actual)

    def _pattern(self, recorded: str, marks: list[re.Match[str]]) -> re.Pattern[str]:
        parts, end = [], 0
        for mark in marks:
            parts.append(re.escape(recorded[end : mark.start()]))
            fixed = _FIXED.get(mark[1])
            parts.append(f"({fixed})" if fixed else "(.+)")
            end = mark.end()
        return re.compile("".join(parts) + re.escape(recorded[end:]), re.DOTALL)

    def _bind(self, mark: re.Match[str], text: str) -> bool:
        kind, number = mark[1], mark[2]
        if number is None:
            return True
        known = self._values.setdefault(mark[0], text)
        return known == text and self._marks.setdefault((kind, text), mark[0]) == mark[0]

    def _shown(self, recorded: str) -> str:
        return _MARK.sub(lambda mark: self._values.get(mark[0], mark[0]), recorded)

    def _differ(self, path: str, recorded: Any, actual: Any) -> None:
        self.differences.append(f"{path}: AWS {recorded!r}, ours {actual!r}")

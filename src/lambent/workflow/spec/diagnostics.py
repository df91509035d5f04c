"""What is wrong with a document, where, and what to do: one record for CLI, tests, status and logs.

    bucket-policy.k.yaml:27:32: error[cel-undeclared]: unknown name "locls"
     27 |         =to_json({"Statement": locls.policy_statement})
        |                                ^^^^^
      ResourceFunction/koreo-examples/bucket-policy spec.resource.spec.policyDocument
      help: did you mean "locals"?

Without a file (an object read from a cluster) the place is `Kind/namespace/name:path:line:col`, after the value of the
annotation `lambent.dev/source` when the object has it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

Severity = Literal["error", "warning"]
_MAX_MESSAGE = 500
_MAX_EXCERPT = 160


@dataclass(frozen=True, slots=True)
class Span:
    """Lines and columns count from 1; the end is exclusive."""

    line: int
    col: int
    end_line: int
    end_col: int


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """`object` is Kind/namespace/name, `path` the field within it (`keys` step by step), `excerpt` the source line."""

    severity: Severity
    code: str
    message: str
    file: str = ""
    line: int = 0
    col: int = 0
    end_line: int = 0
    end_col: int = 0
    object: str = ""
    path: str = ""
    hint: str = ""
    excerpt: str = ""
    source: str = ""
    keys: tuple[str | int, ...] = field(default=(), compare=False, repr=False)

    @property
    def is_error(self) -> bool:
        return self.severity == "error"

    @property
    def place(self) -> str:
        """`file:line:col`, or `Kind/namespace/name:path:line:col` when no file is known."""
        if self.file:
            return f"{self.file}:{self.line}:{self.col}"
        position = f"{self.line}:{self.col}" if self.line else ""
        return ":".join(part for part in (self.source, self.object, self.path, position) if part)

    @property
    def summary(self) -> str:
        """One line."""
        text = f"{self.place}: {self.severity}[{self.code}]: {self.message}"
        return text if len(text) <= _MAX_MESSAGE else text[: _MAX_MESSAGE - 3] + "..."

    def render(self) -> str:
        """Several lines, with the source and a caret when the source is known."""
        lines = [self.summary]
        if self.excerpt:
            lines += self._caret()
        if self.object and self.file:
            lines.append(f"  {self.object} {self.path}".rstrip())
        if self.hint:
            lines.append(f"  help: {self.hint}")
        return "\n".join(lines)

    def _caret(self) -> list[str]:
        number = f"{self.line:>3}"
        last = self.end_col if self.end_line == self.line else len(self.excerpt) + 1
        width = max(1, min(last, len(self.excerpt) + 1) - self.col)
        before, after = self.excerpt[: self.col - 1], self.excerpt[self.col - 1 :]
        if len(self.excerpt) > _MAX_EXCERPT:
            # A policy on one line is longer than any window; what is wrong stands in the middle of what is shown.
            before = before if len(before) <= _MAX_EXCERPT // 2 else "..." + before[-_MAX_EXCERPT // 2 :]
            room = _MAX_EXCERPT - len(before)
            after, width = (after if len(after) <= room else after[:room] + "..."), min(width, room)
        padding = "".join("\t" if char == "\t" else " " for char in before)
        return [f"{number} | {before}{after}", f"{' ' * len(number)} | {padding}{'^' * width}"]


def in_order(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """By file, line, column; each once."""
    unique = dict.fromkeys(diagnostics)
    return sorted(unique, key=lambda d: (d.file, d.line, d.col, d.object, d.path, d.code, d.message))


def has_errors(diagnostics: Iterable[Diagnostic], *, strict: bool = False) -> bool:
    return any(strict or d.is_error for d in diagnostics)


def nearest(name: str, candidates: Iterable[str]) -> str:
    """`did you mean "x"?`, or nothing when no candidate is near."""
    import difflib  # only needed when something is wrong, and it costs milliseconds

    folded = {candidate.lower(): candidate for candidate in candidates}
    found = difflib.get_close_matches(name.lower(), folded, n=1, cutoff=0.6)
    return f'did you mean "{folded[found[0]]}"?' if found else ""

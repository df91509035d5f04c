"""Errors of the expression language: what leaves the package, and what travels inside it.

`CelError` is the one exception a caller meets. It says what went wrong, where in the expression (line and column,
1-based) and, for a wrong name, which name was probably meant. Its text is at most 500 characters and never holds the
value of a variable: names, types and pieces of the expression only.

`Fault` and `LimitFault` are what operators and functions raise while an expression runs. They know no position; the
guard around each operation of a careful run adds it (see `lambent.cel.codegen`). A `LimitFault` is never absorbed by
`&&` and `||`, or an expression could outrun its own limits.
"""

from typing import ClassVar

from lambent.errors import LambentError

MAX_RENDERED = 500
MAX_EXCERPT = 80


class CelError(LambentError):
    """An expression that cannot be compiled or evaluated.

    code:     syntax, undeclared, function, arity, type, key, index, overload, arithmetic, conversion, argument,
              regex, limit or internal
    line, col: 1-based place in the expression text
    excerpt:  at most 80 characters of the expression around that place
    names:    the undeclared names (code `undeclared` only)
    """

    http_status: ClassVar[int] = 400
    aws_code: ClassVar[str] = "ValidationException"
    reason: ClassVar[str] = "InvalidExpression"

    def __init__(
        self,
        code: str,
        message: str,
        line: int = 1,
        col: int = 1,
        *,
        excerpt: str = "",
        names: tuple[str, ...] = (),
    ) -> None:
        super().__init__(code, message, line, col)
        self.code = code
        self.message = shortened(message, MAX_RENDERED - MAX_EXCERPT - 60)
        self.line = line
        self.col = col
        self.excerpt = excerpt
        self.names = names

    def __str__(self) -> str:
        place = f" (line {self.line}, column {self.col})"
        excerpt = f" in: {self.excerpt}" if self.excerpt else ""
        return f"{self.message}{place}{excerpt}"[:MAX_RENDERED]

    def __reduce__(self) -> tuple[object, ...]:
        return _revive, (self.code, self.message, self.line, self.col, self.excerpt, self.names)

    def shifted(self, line: int, col: int) -> "CelError":
        """The same error placed in a file where the expression begins at `line`, `col` (1-based)."""
        new_col = self.col + col - 1 if self.line == 1 else self.col
        return CelError(self.code, self.message, self.line + line - 1, new_col, excerpt=self.excerpt, names=self.names)

    def as_dict(self) -> dict[str, object]:
        """`{code, message, line, col, excerpt}`, for machine-readable reports."""
        return {
            "code": self.code,
            "message": self.message,
            "line": self.line,
            "col": self.col,
            "excerpt": self.excerpt,
        }


def _revive(code: str, message: str, line: int, col: int, excerpt: str, names: tuple[str, ...]) -> CelError:
    return CelError(code, message, line, col, excerpt=excerpt, names=names)


class Fault(Exception):
    """An operation that failed while running; `pos` is the offset in the text once it is known, else -1."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(code, message)
        self.code = code
        self.message = message
        self.pos = -1


class LimitFault(Exception):
    """A limit of cost, size or time was passed; ends the evaluation whatever stands around it."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
        self.pos = -1


def shortened(text: str, limit: int) -> str:
    """`text`, or its beginning with an ellipsis, in at most `limit` characters."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def located(code: str, message: str, text: str, pos: int, *, names: tuple[str, ...] = ()) -> CelError:
    """A `CelError` at offset `pos` of the expression `text`."""
    pos = max(0, min(pos, len(text)))
    line = text.count("\n", 0, pos) + 1
    start = text.rfind("\n", 0, pos) + 1
    return CelError(code, message, line, pos - start + 1, excerpt=_excerpt(text, pos), names=names)


def _excerpt(text: str, pos: int) -> str:
    """One line of at most 80 characters around `pos`."""
    start = 0 if len(text) <= MAX_EXCERPT else max(0, min(pos - MAX_EXCERPT // 2, len(text) - MAX_EXCERPT))
    return " ".join(text[start : start + MAX_EXCERPT].split())

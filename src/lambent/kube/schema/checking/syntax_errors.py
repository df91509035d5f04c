"""What is told of a rule that is no expression at all.

kube-apiserver reads rules with a generated parser, which skips what is no token, names the tokens it would take, and
goes on. The commonest mistakes are put in its words here; others are told in the words of our own parser, at the same
place. Source: CEL specification, "Syntax".
"""

import re

from lambent.cel.errors import CelError
from lambent.cel.parser import parse
from lambent.kube.schema.checking.checker import Mistake

_BEGINS = "'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER"
_VALUE = f"{{'[', '{{', '(', '.', '-', '!', {_BEGINS}}}"
_INDEX = f"{{'[', '{{', '(', '.', '-', '!', '?', {_BEGINS}}}"
_MOST_MISTAKES = 20
# What our parser waits for -> what the other names
_LISTS = {"',' or ']'": "{']', ','}", "',' or '}'": "{'}', ','}", "',' or ')'": "{')', ','}"}


def syntax_mistakes(text: str, error: CelError) -> list[Mistake]:
    """The mistakes of a text the parser refused with `error`: what is no token is passed over."""
    out: list[Mistake] = []
    rest = text
    refused: CelError | None = error
    while refused is not None and len(out) < _MOST_MISTAKES:
        pos = _offset(rest, refused)
        skipped = _no_token(rest, pos, refused.message)
        if not skipped:
            return [*out, Mistake(*_grammar(rest, pos, refused.message))]
        out.append(Mistake(pos, f"Syntax error: token recognition error at: '{skipped}'"))
        rest = rest[:pos] + " " * len(skipped) + rest[pos + len(skipped) :]
        refused = _refusal(rest)
    return out


def _refusal(text: str) -> CelError | None:
    try:
        parse(text, koreo=False)
    except CelError as error:
        return error
    return None


def _offset(text: str, error: CelError) -> int:
    lines = text.split("\n")
    return sum(len(line) + 1 for line in lines[: error.line - 1]) + error.col - 1


def _no_token(text: str, pos: int, said: str) -> str:
    """What begins no token: a sign, with the next where the two could have been one; an open string to its end."""
    if said.startswith("unexpected '"):
        return text[pos : pos + 2]
    if said.startswith("unexpected character"):
        return text[pos : pos + 1]
    return text[pos:].partition("\n")[0] if said.startswith("string without") else ""


def _grammar(text: str, pos: int, said: str) -> tuple[int, str]:
    if found := re.fullmatch(r"expected (.*), found (.*)", said):
        what = "'<EOF>'" if found[2] == "the end" else found[2]
        return pos, f"Syntax error: {_expected(text, pos, found[1], what)}"
    if found := re.fullmatch(r"'(\w+)' is a reserved word", said):
        return pos, f"reserved identifier: {found[1]}"
    if "needs a simple name" in said:
        return pos, "argument must be a simple name"
    if said.startswith("has() needs"):
        return pos, "invalid argument to has() macro"
    if "out of range" in said:
        return pos, f"invalid {'uint' if said.startswith('unsigned') else 'int'} literal"
    return pos, f"Syntax error: {said}"


def _expected(text: str, pos: int, wanted: str, what: str) -> str:
    before = text[:pos].rstrip()
    if wanted == "a value":
        return f"mismatched input {what} expecting {_INDEX if _is_index(before) else _VALUE}"
    if wanted == "the end of the expression":
        is_last = text[pos + len(what) - 2 :].strip() == ""
        return f"{'extraneous' if is_last else 'mismatched'} input {what} expecting <EOF>"
    if wanted in ("')'", "']'"):
        return f"missing {wanted} at {what}"
    if wanted in _LISTS:
        return f"mismatched input {what} expecting {_LISTS[wanted]}"
    if wanted.startswith("':'"):
        return f"mismatched input {what} expecting ':'"
    if wanted.startswith(("a field name", "a name")):
        after = "" if what == "'<EOF>'" else what.strip("'")
        return f"no viable alternative at input '.{after}'"
    return f"expected {wanted}, found {what}"


def _is_index(before: str) -> bool:
    """Whether an index begins: a bracket behind a value."""
    return before.endswith("[") and re.search(r"[\w)\]}'\"]\s*\[$", before) is not None

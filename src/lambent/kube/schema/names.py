"""Members whose names CEL cannot spell, as rules of a schema write them: `self.__return__`, `self.a__dot__b`.

`with_plain_names` turns each into CEL's own quoted form (``self.`a.b` ``) before the rule is compiled; texts inside
strings stay as they are. Source: Kubernetes docs, "Validation rules", "Escaping".
"""

import re

from lambent.cel.lexer import tokens

_WORDS = {"__underscores__": "__", "__dot__": ".", "__dash__": "-", "__slash__": "/"}
_INSIDE = re.compile("|".join(_WORDS))
_RESERVED = re.compile(
    "__(true|false|null|in|as|break|const|continue|else|for|function|if|import|let|loop|package|namespace|return|var|void|while)__"
)


def with_plain_names(rule: str) -> str:
    """Raises CelError when the rule has no tokens of CEL."""
    if "__" not in rule:
        return rule
    kinds, texts, starts = tokens(rule)
    out, end = [], 0
    for index, (kind, text, start) in enumerate(zip(kinds, texts, starts, strict=True)):
        if kind == "name" and index and kinds[index - 1] in (".", "?") and "__" in text:
            out += [rule[end:start], f"`{plain_name(text)}`"]
            end = start + len(text)
    return "".join([*out, rule[end:]])


def plain_name(escaped: str) -> str:
    """The member's real name."""
    reserved = _RESERVED.fullmatch(escaped)
    return reserved[1] if reserved else _INSIDE.sub(lambda found: _WORDS[found[0]], escaped)

"""The Common Expression Language, compiled to Python functions over native values.

    program = cel.compile("inputs.name + '-bucket'", names={"inputs"})
    program.evaluate({"inputs": {"name": "demo"}})

An expression goes through lexer, parser, static check and generator once; evaluating it afterwards is a call of a
Python function on plain dicts and lists, without any conversion. The profiles are `koreo` and `strict`.

Not here: what `=` at the beginning of a YAML string means, and where expressions stand in documents (`workflow`).
"""

from lambent.cel.checker import Lint
from lambent.cel.errors import CelError
from lambent.cel.library.json_text import json_value
from lambent.cel.macros import FORMS as MACROS
from lambent.cel.operators import equal
from lambent.cel.program import Profile, Program
from lambent.cel.program import compile_expression as compile
from lambent.cel.references import WILDCARD
from lambent.cel.registry import declarations as functions

__all__ = [
    "MACROS",
    "WILDCARD",
    "CelError",
    "Lint",
    "Profile",
    "Program",
    "compile",
    "equal",
    "functions",
    "json_value",
]

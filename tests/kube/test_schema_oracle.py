"""What a schema admits, another JSON Schema implementation finds valid: verdicts compared on made pairs.

Ours fills, drops and validates in one walk; the oracle judges the object that comes out. `LAMBENT_FUZZ_EXAMPLES` sets
the number of pairs (the full run: 100 000). Formats and list types are not compared: JSON Schema knows others.
"""

import os
import random
from collections.abc import Callable
from typing import Any

import jsonschema_rs

from lambent.kube.schema import compile_schema

PAIRS = int(os.environ.get("LAMBENT_FUZZ_EXAMPLES", "3000"))
OBJECTS_PER_SCHEMA = 10
NAMES = ("a", "b", "c", "long-name")
TEXTS = ("", "a", "ab", "abc", "ä", "x1", "10%", "🙂🙂")
NUMBERS = (0, 1, 2, 3, -1, 7, 10, 2.0, 0.5, 2.5, -1.5, 1e3)
WHOLE_NUMBERS = (0, 1, 2, 3, -1, 7, 10)
PATTERNS = ("^a", "b$", "^[a-z]*$", "[0-9]+", "^.{2}$")


class Maker:
    """Random structural schemas, and objects that fit them more often than not."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def _often(self, chance: float) -> bool:
        return self._random.random() < chance

    def _some(self, schema: dict[str, Any], **limits: Callable[[], Any]) -> dict[str, Any]:
        return schema | {name: make() for name, make in limits.items() if self._often(0.25)}

    def schema(self, depth: int = 3) -> dict[str, Any]:
        kinds = [self._text, self._number, self._whole, self._flag, self._either]
        kinds += [self._object, self._object, self._map, self._list] if depth else []
        made = self._random.choice(kinds)(depth)
        chance = self._random.random()
        if chance < 0.15:  # apart from logic, which kube-apiserver does not ask of a null
            made["nullable"] = True
        elif chance < 0.3:
            made |= self._logic(made)
        return made

    def _logic(self, schema: dict[str, Any]) -> dict[str, Any]:
        word = self._random.choice(["allOf", "anyOf", "oneOf", "not"])
        others = [self._bounds(schema) for _ in range(self._random.randint(1, 3))]
        return {word: others[0] if word == "not" else others}

    def _bounds(self, schema: dict[str, Any]) -> dict[str, Any]:
        """A value validation without a type of its own, as structural schemas have them inside logic."""
        if "properties" in schema:
            return {"required": [self._random.choice(NAMES)]}
        match schema.get("type"):
            case "string":
                return {"pattern": self._random.choice(PATTERNS)}
            case "integer" | "number":
                return {"minimum": self._random.choice((0, 2, 5))}
            case "array":
                return {"minItems": self._random.randint(0, 3)}
        return {"enum": self._random.sample([*TEXTS, *NUMBERS, True, False], 6)}

    def _text(self, _depth: int) -> dict[str, Any]:
        below, above, pick = self._random.randint(0, 2), self._random.randint(1, 4), self._random.choice
        return self._some(
            {"type": "string"},
            minLength=lambda: below,
            maxLength=lambda: above,
            pattern=lambda: pick(PATTERNS),
            enum=lambda: self._random.sample(TEXTS, 4),
            default=lambda: pick(TEXTS),
        )

    def _number(self, _depth: int, *, kind: str = "number") -> dict[str, Any]:
        made = self._some(
            {"type": kind},
            minimum=lambda: self._random.choice((-1, 0, 1)),
            maximum=lambda: self._random.choice((1, 3, 10)),
            multipleOf=lambda: self._random.choice((1, 2, 5)),
            enum=lambda: self._random.sample(WHOLE_NUMBERS, 5),
        )
        for bound in ("minimum", "maximum"):
            if bound in made and self._often(0.3):
                made[f"exclusive{bound.capitalize()}"] = True
        return made

    def _whole(self, depth: int) -> dict[str, Any]:
        return self._number(depth, kind="integer")

    def _flag(self, _depth: int) -> dict[str, Any]:
        return self._some({"type": "boolean"}, default=lambda: self._often(0.5))

    def _either(self, _depth: int) -> dict[str, Any]:
        return {"x-kubernetes-int-or-string": True}

    def _object(self, depth: int) -> dict[str, Any]:
        chosen = self._random.sample(NAMES, self._random.randint(1, 3))
        properties = {name: self.schema(depth - 1) for name in chosen}
        return self._some(
            {"type": "object", "properties": properties},
            required=lambda: self._random.sample(NAMES, self._random.randint(1, 2)),
            minProperties=lambda: self._random.randint(0, 2),
            maxProperties=lambda: self._random.randint(1, 3),
            default=lambda: {},
        )

    def _map(self, depth: int) -> dict[str, Any]:
        return self._some(
            {"type": "object", "additionalProperties": self.schema(depth - 1)},
            maxProperties=lambda: self._random.randint(0, 3),
        )

    def _list(self, depth: int) -> dict[str, Any]:
        return self._some(
            {"type": "array", "items": self.schema(depth - 1)},
            minItems=lambda: self._random.randint(0, 2),
            maxItems=lambda: self._random.randint(0, 3),
        )

    def value(self, schema: dict[str, Any]) -> Any:
        if self._often(0.05):
            return self._random.choice([None, True, "x", 1, [], {}, [None], {"a": None}])
        if "enum" in schema and self._often(0.6):
            return self._random.choice(schema["enum"])
        if "properties" in schema:
            return {name: self.value(schema["properties"].get(name, {})) for name in self._names()}
        if "additionalProperties" in schema:
            return {name: self.value(schema["additionalProperties"]) for name in self._names()}
        match schema.get("type"):
            case "string":
                return self._random.choice(TEXTS)
            case "integer" | "number":
                # A fraction is cut off before it is compared with a listed whole number: a wonder of its own.
                return self._random.choice((*WHOLE_NUMBERS, 2.0, 7.0) if "enum" in schema else NUMBERS)
            case "boolean":
                return self._often(0.5)
            case "array":
                return [self.value(schema["items"]) for _ in range(self._random.randint(0, 3))]
        return self._random.choice([*TEXTS, *NUMBERS])

    def _names(self) -> list[str]:
        return [name for name in NAMES if self._often(0.6)]


def _for_the_oracle(schema: Any) -> Any:
    """OpenAPI's own words said in JSON Schema (draft 7)."""
    if isinstance(schema, list):
        return [_for_the_oracle(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    made = {
        name: value
        if name in ("enum", "default", "required")
        else {key: _for_the_oracle(one) for key, one in value.items()}
        if name == "properties"
        else _for_the_oracle(value)
        for name, value in schema.items()
    }
    for bound in ("minimum", "maximum"):
        if made.pop(f"exclusive{bound.capitalize()}", False):
            made[f"exclusive{bound.capitalize()}"] = made.pop(bound)
    if made.pop("x-kubernetes-int-or-string", False):
        made["type"] = ["integer", "string"]
    if made.pop("nullable", False) and "type" in made:
        kinds = made["type"] if isinstance(made["type"], list) else [made["type"]]
        made["type"] = [*kinds, "null"]
    return made


def test_verdicts_equal_those_of_another_implementation():
    differing, valid = [], 0
    for seed in range(PAIRS // OBJECTS_PER_SCHEMA):
        maker = Maker(seed)
        part = maker.schema()
        schema = {"type": "object", "properties": {"spec": part}}
        ours, oracle = compile_schema(schema), jsonschema_rs.Draft7Validator(_for_the_oracle(schema))
        for _ in range(OBJECTS_PER_SCHEMA):
            value = {"spec": maker.value(part)}
            errors = ours.admit(value).errors
            valid += not errors
            if oracle.is_valid(value) == bool(errors):
                differing.append((seed, schema, value, [str(error) for error in errors]))
    assert differing == []
    assert PAIRS // 5 < valid < PAIRS * 4 // 5, "made objects must be valid about as often as not"

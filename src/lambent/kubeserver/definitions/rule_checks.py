"""The rules of a schema: each must fit what its node declares, correlate with old values, and not cost too much.

Costs are added up over the whole schema, which has a limit of its own.
"""

from dataclasses import dataclass, field
from typing import Any

from lambent.cel import CelError
from lambent.kube.schema import Problem
from lambent.kube.schema.checking.costs import MOST
from lambent.kube.schema.checking.declared import REQUEST_BYTES, Declared, declared
from lambent.kube.schema.checking.rules import Judged, judge
from lambent.kube.schema.checking.types import BOOL, STRING
from lambent.kube.schema.rules import expression_program
from lambent.kubeserver.definitions.internal import go_rule
from lambent.kubeserver.definitions.refusals import invalid
from lambent.kubeserver.validation.errors import forbidden

_RULE_LIMIT, _TOTAL_LIMIT = 10_000_000, 100_000_000
_MOST_EXPENSIVE = 4
_ADVICE = (
    "(try simplifying the rule, or adding maxItems, maxProperties, and maxLength where arrays, maps, and strings are "
    "declared)"
)
_UNDECLARED = (
    "Internal error: internal error: failed to construct type information for x-kubernetes-validations rules: unable "
    "to convert structural schema to CEL declarations"
)
_CONTRIBUTED = "contributed to estimated rule cost total exceeding cost limit for entire OpenAPIv3 schema"


class Scope:
    """A node of the schema as its rules see it; `times` is how often it can be in an object, None without bound."""

    def __init__(self, schema: Any, times: int | None, *, is_root: bool = False) -> None:
        self._schema = schema
        self._is_root = is_root or bool(schema.get("x-kubernetes-embedded-resource"))
        self.times = times

    def below(self, schema: Any) -> "Scope":
        """A member, item or value."""
        factor = _repeats(self._schema)
        times = None if self.times is None or factor is None else min(self.times * factor, MOST)
        return Scope(schema, times)

    def declared(self) -> Declared | None:
        """What the rules of this node see as `self`."""
        return declared(self._schema, is_root=self._is_root)


def root_scope(schema: Any) -> Scope:
    return Scope(schema, 1, is_root=True)


def _repeats(schema: Any) -> int | None:
    """How many children one node can have; None when nothing bounds them."""
    limit = {"array": "maxItems", "object": "maxProperties"}.get(schema.get("type") or "")
    if limit is None or (limit == "maxProperties" and schema.get("additionalProperties") is None):
        return 1
    most = schema.get(limit)
    return None if most is None else max(most, 0)


@dataclass(slots=True)
class Budget:
    """The cost of all rules of a schema, and which of them cost most."""

    total: int = 0
    expensive: list[tuple[int, str]] = field(default_factory=list)

    def judge(self, schema: Any, scope: Scope, path: str, *, uncorrelated: str) -> list[Problem]:
        """What is wrong with the rules of one node; their costs are added up."""
        rules = schema.get("x-kubernetes-validations") or ()
        found = scope.declared() if rules else None
        if found is None:
            return [Problem(f"{path}.x-kubernetes-validations", "InternalError", _UNDECLARED)] if rules else []
        root = found.named("selfType")
        out: list[Problem] = []
        for index, rule in enumerate(rules):
            out += self._rule(rule, root, scope, f"{path}.x-kubernetes-validations[{index}]", uncorrelated)
        return out

    def _rule(self, rule: Any, root: Declared, scope: Scope, at: str, uncorrelated: str) -> list[Problem]:
        optional_old = bool(rule.get("optionalOldSelf"))
        judged = judge(rule["rule"], root, optional_old=optional_old)
        fault = _fault(judged, "cel expression must evaluate to a bool", judged.type == BOOL)
        times = scope.times if scope.times is not None else REQUEST_BYTES // (root.least + 1)
        cost = 0 if fault else min(judged.cost * times, MOST)
        out = _too_costly("estimated rule cost", cost, f"{at}.rule")
        self._observe(cost, f"{at}.rule")
        if not fault and (why := _unknown_here(rule["rule"])):
            fault = f"compilation failed: {why}"
        if fault:
            return [*out, invalid(f"{at}.rule", go_rule(rule), fault), *_optional_old(rule, at, uses_old=False)]
        out += self._message(rule, root, at, optional_old=optional_old)
        if judged.uses_old and uncorrelated:
            text = "oldSelf cannot be used on the uncorrelatable portion of the schema within"
            out.append(invalid(f"{at}.rule", rule["rule"], f"{text} {uncorrelated}"))
        return [*out, *_optional_old(rule, at, uses_old=judged.uses_old)]

    def _message(self, rule: Any, root: Declared, at: str, *, optional_old: bool) -> list[Problem]:
        text = rule.get("messageExpression")
        if not text:
            return []
        judged = judge(text, root, optional_old=optional_old)
        fault = _fault(judged, "messageExpression must evaluate to a string", judged.type == STRING)
        if fault:
            lead = "" if fault.startswith("messageExpression") else "messageExpression "
            return [invalid(f"{at}.messageExpression", go_rule(rule), f"{lead}{fault}")]
        self._observe(judged.cost, f"{at}.messageExpression")
        return _too_costly("estimated messageExpression cost", judged.cost, f"{at}.messageExpression")

    def _observe(self, cost: int, path: str) -> None:
        self.total = min(self.total + cost, MOST)
        if cost >= _TOTAL_LIMIT // 100:
            self.expensive = sorted([*self.expensive, (cost, path)], key=lambda one: -one[0])[:_MOST_EXPENSIVE]

    def problems(self, path: str) -> list[Problem]:
        """What is wrong with all rules together."""
        if self.total <= _TOTAL_LIMIT:
            return []
        named = [forbidden(where, _CONTRIBUTED) for _, where in self.expensive]
        what = "x-kubernetes-validations estimated rule cost total for entire OpenAPIv3 schema"
        return [*named, forbidden(path, _over_budget(what, self.total, _TOTAL_LIMIT))]


def _fault(judged: Judged, mistyped: str, is_right: bool) -> str:
    if judged.issues:
        return f"compilation failed: {judged.issues}"
    return "" if is_right else mistyped


def _unknown_here(rule: str) -> str:
    """Why our own compiler does not take a rule that is right; "" when it does."""
    try:
        expression_program(rule)
    except CelError as error:
        return str(error)
    return ""


def _optional_old(rule: Any, at: str, *, uses_old: bool) -> list[Problem]:
    if uses_old or rule.get("optionalOldSelf") is None:
        return []
    text = "may not be set if oldSelf is not used in rule"
    return [invalid(f"{at}.optionalOldSelf", rule["optionalOldSelf"], text)]


def _too_costly(what: str, cost: int, path: str) -> list[Problem]:
    return [forbidden(path, _over_budget(what, cost, _RULE_LIMIT))] if cost > _RULE_LIMIT else []


def _over_budget(what: str, cost: int, limit: int) -> str:
    factor = cost / limit
    shown = "more than 100x" if factor > 100 else f"{factor:f}x" if factor < 1.5 else f"{factor:.1f}x"
    return f"{what} exceeds budget by factor of {shown} {_ADVICE}"

"""Prepared workflows: steps with compiled expressions, and the graph of what each step waits for.

A step may only refer to earlier steps. The graph comes from the expressions (`steps.bucket.arn` makes an edge) and from
`dependsOn`; a use of `steps` as a whole depends on every earlier step.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from lambent import cel
from lambent.workflow.engine.expressions import Compiler, Overlay, Template, expressions_in
from lambent.workflow.engine.functions import Unready
from lambent.workflow.spec import Diagnostic, Document, FieldPath, Identity, has_errors, nearest, seconds, validate

_STEP_S = 10.0
_WORKFLOW_S = 30.0
# Members of a trigger that passes write; the last one stands for any.
_PUBLISHED = frozenset({"state", "status", cel.WILDCARD})


@dataclass(frozen=True, slots=True)
class LogicRef:
    """A function or workflow by kind and name."""

    kind: str
    name: str


@dataclass(slots=True, eq=False)
class Switch:
    """Logic chosen by a value."""

    switch_on: Template
    cases: dict[str, LogicRef]
    default: LogicRef | None


@dataclass(slots=True, eq=False)
class ForEach:
    """The logic runs once per item."""

    item_in: Template
    input_key: str
    concurrency: int
    drop_skipped: bool


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition that a step puts on the trigger; `name` is what messages call the step."""

    type: str
    name: str


@dataclass(frozen=True, slots=True)
class Dependency:
    """`when_not_ok` is depSkip, proceedOnSkip or proceed."""

    label: str
    when_not_ok: str = "depSkip"


@dataclass(frozen=True, slots=True)
class BackOff:
    """Delay after the n-th server error: min(max, min * factor^n), with jitter as a share."""

    min_s: float = 1.0
    max_s: float = 300.0
    factor: float = 2.0
    jitter: float = 0.1

    def delay(self, failures: int) -> float:
        """Seconds to wait after `failures` earlier ones, without the jitter."""
        return min(self.max_s, self.min_s * self.factor ** min(failures, 64))


@dataclass(slots=True, eq=False)
class Step:
    """One step; `state_keys` are the keys that it declares; what passes publish may lead it elsewhere if it
    `reads_status`.
    """

    label: str
    index: int
    logic: LogicRef | Switch
    skip_if: Template | None
    for_each: ForEach | None
    inputs: Template
    condition: Condition | None
    state: Overlay | None
    state_keys: tuple[str, ...]
    dependencies: tuple[Dependency, ...]
    timeout_s: float
    back_off: BackOff
    reads_status: bool

    def references(self) -> Iterable[LogicRef]:
        """Every function that the step may run."""
        if isinstance(self.logic, LogicRef):
            return (self.logic,)
        return self.logic.cases.values()


@dataclass(frozen=True, slots=True)
class TriggerKind:
    """The kind whose objects start a workflow."""

    group: str
    version: str
    kind: str


@dataclass(slots=True, eq=False)
class Workflow:
    """`trigger` is None for a workflow that is only used inside others."""

    identity: Identity
    document: Document
    trigger: TriggerKind | None
    steps: tuple[Step, ...]
    timeout_s: float
    concurrency: int
    deletes_orphans: bool
    is_deep_state: bool
    diagnostics: list[Diagnostic]

    @property
    def reads_status(self) -> bool:
        return any(step.reads_status for step in self.steps)

    @property
    def ready_name(self) -> str:
        return f"Workflow {self.identity.name}"


def prepare_workflow(document: Document) -> Workflow | Unready:
    """Never raises; a workflow with errors is `Unready`."""
    diagnostics = validate(document)
    if has_errors(diagnostics):
        return Unready(document.identity, document, diagnostics)
    spec, compiler = document.spec, Compiler(document)
    timeouts = spec.get("timeouts") or {}
    step_s = seconds(timeouts["step"]) if timeouts.get("step") else _STEP_S
    labels = [step["label"] for step in spec["steps"]]
    steps = tuple(
        _step(compiler, item, index=index, labels=labels, step_s=step_s) for index, item in enumerate(spec["steps"])
    )
    found = diagnostics + compiler.diagnostics
    if has_errors(found):
        return Unready(document.identity, document, found)
    trigger = spec.get("crdRef")
    return Workflow(
        document.identity,
        document,
        TriggerKind(trigger["apiGroup"], trigger["version"], trigger["kind"]) if trigger else None,
        steps,
        seconds(timeouts["workflow"]) if timeouts.get("workflow") else _WORKFLOW_S,
        spec.get("concurrency") or 16,
        spec.get("orphans") == "delete",
        spec.get("stateMerge") == "deep",
        found,
    )


def _step(compiler: Compiler, item: Mapping[str, Any], *, index: int, labels: list[str], step_s: float) -> Step:
    path: FieldPath = ("spec", "steps", index)
    names = ("parent", "steps")
    skip_if = compiler.expression(item["skipIf"], (*path, "skipIf"), names) if item.get("skipIf") else None
    for_each = _for_each(compiler, item.get("forEach"), (*path, "forEach"))
    inputs = compiler.template(item.get("inputs") or {}, (*path, "inputs"), names)
    logic = _logic(compiler, item, path)
    state = item.get("state") or {}
    overlay = compiler.overlay(state, (*path, "state"), ("value", "parent", "inputs")) if state else None
    condition, retry = item.get("condition"), item.get("retry") or {}
    readers: list[Template] = [inputs]
    readers += [skip_if] if skip_if is not None else []
    readers += [for_each.item_in] if for_each is not None else []
    readers += [logic.switch_on] if isinstance(logic, Switch) else []
    return Step(
        label=item["label"],
        index=index,
        logic=logic,
        skip_if=skip_if,
        for_each=for_each,
        inputs=inputs,
        condition=Condition(condition["type"], condition["name"]) if condition else None,
        state=overlay,
        state_keys=tuple(state),
        dependencies=_dependencies(compiler, item, readers, index=index, labels=labels),
        timeout_s=seconds(item["timeout"]) if item.get("timeout") else step_s,
        back_off=_back_off(retry),
        reads_status=_reads_status([*readers, overlay] if overlay is not None else readers),
    )


def _reads_status(templates: Iterable[Template | Overlay]) -> bool:
    found = (expression for template in templates for expression in expressions_in(template))
    return any(expression.members_of("parent") & _PUBLISHED for expression in found)


def _back_off(retry: Mapping[str, Any]) -> BackOff:
    plain = BackOff()
    return BackOff(
        seconds(retry["minDelay"]) if retry.get("minDelay") else plain.min_s,
        seconds(retry["maxDelay"]) if retry.get("maxDelay") else plain.max_s,
        float(retry.get("factor") or plain.factor),
        float(retry.get("jitter", plain.jitter)),
    )


def _for_each(compiler: Compiler, item: Mapping[str, Any] | None, path: FieldPath) -> ForEach | None:
    if not item:
        return None
    items = compiler.expression(item["itemIn"], (*path, "itemIn"), ("parent", "steps"))
    return ForEach(items, item["inputKey"], item.get("concurrency") or 16, bool(item.get("dropSkipped")))


def _logic(compiler: Compiler, item: Mapping[str, Any], path: FieldPath) -> LogicRef | Switch:
    reference = item.get("ref")
    if reference:
        return LogicRef(reference["kind"], reference["name"])
    switch = item["refSwitch"]
    cases = {case["case"]: LogicRef(case["kind"], case["name"]) for case in switch["cases"]}
    default = next((cases[case["case"]] for case in switch["cases"] if case.get("default")), None)
    names = ("inputs", "parent", "steps")
    return Switch(compiler.expression(switch["switchOn"], (*path, "refSwitch", "switchOn"), names), cases, default)


def _dependencies(
    compiler: Compiler, item: Mapping[str, Any], readers: list[Template], *, index: int, labels: list[str]
) -> tuple[Dependency, ...]:
    """Edges of a step in the order of the labels; `dependsOn` may soften an edge that an expression makes."""
    earlier = labels[:index]
    wanted: dict[str, str] = {}
    for template in readers:
        for expression in expressions_in(template):
            for member in sorted(expression.members_of("steps")):
                if member == "*":
                    wanted.update(dict.fromkeys(earlier, "depSkip"))
                    _lint_whole(compiler, expression.path)
                elif member in earlier:
                    wanted[member] = "depSkip"
                else:
                    _refuse_step(compiler, expression.path, member, labels=labels, index=index)
    for entry in item.get("dependsOn") or ():
        wanted[entry["label"]] = entry.get("whenNotOk") or "depSkip"
    return tuple(Dependency(label, wanted[label]) for label in earlier if label in wanted)


def _lint_whole(compiler: Compiler, path: FieldPath) -> None:
    message = "uses `steps` as a whole and so waits for every earlier step"
    compiler.diagnostics.append(compiler.document.diagnose("steps-whole", message, path, severity="warning"))


def _refuse_step(compiler: Compiler, path: FieldPath, member: str, *, labels: list[str], index: int) -> None:
    if member == labels[index]:
        message = f'step "{member}" refers to itself'
    elif member in labels:
        message = f'step "{member}" stands later; a step may only refer to earlier steps'
    else:
        message = f'unknown step "{member}"'
    code = "forward-reference" if member in labels else "unknown-step"
    hint = "" if member in labels else nearest(member, labels[:index])
    span = _member_span(compiler.document, path, member)
    compiler.diagnostics.append(compiler.document.diagnose(code, message, path, hint=hint, span=span))


def _member_span(document: Document, path: FieldPath, member: str) -> Any:
    """The place of `steps.<member>` inside the expression, when the text has it in that form."""
    value: Any = document.value
    for part in path:
        value = value[part]
    text = str(value).lstrip("=")
    offset = text.find(f"steps.{member}")
    if offset < 0:
        return None
    line = text.count("\n", 0, offset) + 1
    col = offset - (text.rfind("\n", 0, offset) + 1) + 1
    return document.span_in(path, line=line, col=col + len("steps."), width=len(member))

"""The tables of the kinds: every field of every document, once.

Validator, CRDs and reference pages are made from these tables. Limits are the specification's section 2.1; a limit
that a real API server needs to bound the cost of its validation rules is the same number.
"""

from lambent.workflow.spec.fields import Field, Kind, array, flag, free, integer, record, text

KOREO_GROUP = "koreo.dev"
KOREO_VERSION = "v1beta1"
LAMBENT_GROUP = "lambent.dev"
LAMBENT_VERSION = "v1alpha1"

_DURATION = r"^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$"
_DURATION_HINT = 'a duration like "30s", "1m30s" or "500ms"'


def _duration(doc: str) -> Field:
    return text(doc, pattern=_DURATION, pattern_hint=_DURATION_HINT)


_MESSAGE = text("Why; may be an expression.", required=True, expression="may")
_DELAY = integer("Seconds until the next look.", required=True, minimum=0)
_OUTCOMES = ("ok", "skip", "depSkip", "retry", "permFail")

PREDICATE = record(
    {
        "assert": text("Must hold; if it is false, the outcome below is returned.", required=True, expression="must"),
        "ok": record({}, "Stops checking and continues."),
        "skip": record({"message": _MESSAGE}),
        "depSkip": record({"message": _MESSAGE}),
        "retry": record({"message": _MESSAGE, "delay": _DELAY}),
        "permFail": record({"message": _MESSAGE}),
    },
    exactly_one=(_OUTCOMES,),
    retired={"defaultIfNotMet": 'use one of "ok", "skip", "depSkip", "retry", "permFail"'},
)
_PREDICATES = array(PREDICATE, max_items=100)
_LOCALS = free("Values that later expressions reach as `locals`.", expression="may")
_RETURN = free("The function's result.", expression="may")

_FUNCTION_KINDS = ("ResourceFunction", "ValueFunction", "Workflow")
_REF = record(
    {"kind": text(required=True, enum=_FUNCTION_KINDS), "name": text(required=True)}, "The logic that the step runs."
)
_SWITCH = record(
    {
        "switchOn": text("Yields a string, int or bool.", required=True, expression="must"),
        "cases": array(
            record(
                {
                    "case": text(required=True),
                    "kind": text(required=True, enum=_FUNCTION_KINDS),
                    "name": text(required=True),
                    "default": flag(False),
                }
            ),
            required=True,
            min_items=1,
            max_items=100,
        ),
    },
    "Logic chosen at run time.",
)
_STEP = record(
    {
        "label": text(
            "Name of the step; results are reached as `steps.<label>`.",
            required=True,
            max_length=63,
            pattern=r"^[A-Za-z0-9_]+$",
            pattern_hint="made of letters, digits and underscores",
        ),
        "ref": _REF,
        "refSwitch": _SWITCH,
        "skipIf": text("A bool; true skips the step.", expression="must"),
        "forEach": record(
            {
                "itemIn": text("A list.", required=True, expression="must"),
                "inputKey": text("Input that holds the item.", required=True),
                "concurrency": integer(default=16, minimum=1, maximum=256),
                "dropSkipped": flag(False, "Leave out the results of skipped items."),
            },
            "Run the logic for each item.",
            retired={"condition": "put the condition on the step"},
        ),
        "inputs": free("Inputs of the logic; a sub-workflow sees them as `parent`.", expression="may"),
        "condition": record(
            {
                "type": text(
                    required=True,
                    max_length=63,
                    pattern=r"^[A-Z][a-zA-Z0-9]+$",
                    pattern_hint="an upper-case letter, then letters and digits",
                ),
                "name": text(required=True, max_length=200),
            },
            "A condition on the trigger object.",
        ),
        "state": free("Published in `status.state`; sees `value`.", expression="may", max_properties=256),
        "dependsOn": array(
            record(
                {
                    "label": text(required=True),
                    "whenNotOk": text(enum=("depSkip", "proceedOnSkip", "proceed"), default="depSkip"),
                }
            ),
            max_items=100,
        ),
        "timeout": _duration("Overrides timeouts.step."),
        "retry": record(
            {
                "minDelay": _duration("First delay."),
                "maxDelay": _duration("Longest delay."),
                "factor": Field(type="number", default=2, minimum=1),
                "jitter": Field(type="number", default=0.1, minimum=0, maximum=1),
            },
            "Back-off for server errors and time-outs of this step.",
        ),
    },
    exactly_one=(("ref", "refSwitch"),),
)

WORKFLOW = Kind(
    group=KOREO_GROUP,
    version=KOREO_VERSION,
    kind="Workflow",
    plural="workflows",
    doc="Steps that run when an object of the trigger kind appears or changes.",
    spec=record(
        {
            "crdRef": record(
                {"apiGroup": text(required=True), "version": text(required=True), "kind": text(required=True)},
                "The trigger kind; without it the workflow is usable only as a sub-workflow.",
            ),
            "steps": array(_STEP, required=True, min_items=1, max_items=500),
            "timeouts": record({"step": _duration("Default 10s."), "workflow": _duration("Default 30s.")}),
            "concurrency": integer("Steps in flight.", default=16, minimum=1, maximum=256),
            "orphans": text("Resources of removed steps.", enum=("keep", "delete"), default="keep"),
            "stateMerge": text("Merging of state maps.", enum=("shallow", "deep"), default="shallow"),
        },
        required=True,
        retired={"configStep": "make it an ordinary step with inputs from `parent`"},
    ),
)

VALUE_FUNCTION = Kind(
    group=KOREO_GROUP,
    version=KOREO_VERSION,
    kind="ValueFunction",
    plural="valuefunctions",
    doc="Computes a value from inputs.",
    spec=record(
        {"preconditions": _PREDICATES, "locals": _LOCALS, "return": _RETURN},
        required=True,
        at_least_one=("preconditions", "return"),
        retired={"defaultReturn": "use a precondition, or `has()` in the return"},
    ),
)

_UPDATE_DELAY = record({"delay": integer(default=30, minimum=0)})
RESOURCE_FUNCTION = Kind(
    group=KOREO_GROUP,
    version=KOREO_VERSION,
    kind="ResourceFunction",
    plural="resourcefunctions",
    doc="Manages one Kubernetes object.",
    spec=record(
        {
            "preconditions": _PREDICATES,
            "locals": _LOCALS,
            "apiConfig": record(
                {
                    "apiVersion": text(required=True),
                    "kind": text(required=True),
                    "name": text(required=True, expression="may"),
                    "namespace": text(expression="may"),
                    "namespaced": flag(True),
                    "plural": text("Used as given; otherwise discovered."),
                    "owned": flag(True, "Add an owner reference where legal."),
                    "readonly": flag(False, "Only read."),
                    "deleteIfExists": flag(False),
                },
                required=True,
            ),
            "resource": free("The target object.", expression="may"),
            "resourceTemplateRef": record({"name": text(required=True, expression="may")}),
            "overlays": array(
                record(
                    {
                        "overlay": free(expression="may"),
                        "overlayRef": record(
                            {"kind": text(required=True, enum=("ValueFunction",)), "name": text(required=True)}
                        ),
                        "inputs": free("Inputs of the overlay function.", expression="may"),
                        "skipIf": text(expression="must"),
                    },
                    exactly_one=(("overlay", "overlayRef"),),
                ),
                max_items=100,
            ),
            "create": record(
                {
                    "enabled": flag(True),
                    "delay": integer("Longest wait after a create.", default=30, minimum=0),
                    "overlay": free("Fields set at creation only.", expression="may"),
                }
            ),
            "update": record(
                {
                    "patch": _UPDATE_DELAY,
                    "recreate": _UPDATE_DELAY,
                    "never": record({}),
                    "apply": record({"delay": integer(default=30, minimum=0), "force": flag(False)}),
                },
                exactly_one=(("patch", "recreate", "never", "apply"),),
            ),
            "delete": record({"abandon": record({}), "destroy": record({})}, exactly_one=(("abandon", "destroy"),)),
            "postconditions": _PREDICATES,
            "return": _RETURN,
        },
        required=True,
        exactly_one=(("resource", "resourceTemplateRef"),),
        retired={"defaultReturn": "use a precondition, or `has()` in the return"},
    ),
)

RESOURCE_TEMPLATE = Kind(
    group=KOREO_GROUP,
    version=KOREO_VERSION,
    kind="ResourceTemplate",
    plural="resourcetemplates",
    doc="A static base object for ResourceFunctions.",
    spec=record(
        {
            "template": free("Static; a leading = is text.", required=True, min_properties=1),
            "context": free("Reached as `template.context` in overlays of the function."),
        },
        required=True,
    ),
)

_EXPECTATIONS = ("expectResource", "expectReturn", "expectOutcome", "expectDelete")
_EXPECTED_MESSAGE = record({"message": text(default="")})
EXPECTED_OUTCOME = record(
    {
        "ok": record({}),
        "skip": _EXPECTED_MESSAGE,
        "depSkip": _EXPECTED_MESSAGE,
        "retry": record({"message": text(default=""), "delay": integer(default=0, minimum=0)}),
        "permFail": _EXPECTED_MESSAGE,
    },
    exactly_one=(_OUTCOMES,),
)
FUNCTION_TEST = Kind(
    group=KOREO_GROUP,
    version=KOREO_VERSION,
    kind="FunctionTest",
    plural="functiontests",
    doc="Cases that run a function in sequence against an in-memory object.",
    spec=record(
        {
            "functionRef": record(
                {
                    "kind": text(required=True, enum=("ResourceFunction", "ValueFunction")),
                    "name": text(required=True),
                },
                required=True,
            ),
            "inputs": free("Base inputs; static."),
            "currentResource": free("Initial object."),
            "stateMerge": text(enum=("merge", "legacy"), default="merge"),
            "testCases": array(
                record(
                    {
                        "label": text(),
                        "variant": flag(False, "Leaves nothing behind."),
                        "skip": flag(False),
                        "inputOverrides": free("Merged deeply into the current inputs."),
                        "currentResource": free("Replaces the carried object."),
                        "overlayResource": free("Laid over the current object.", expression="may"),
                        "expectResource": free(min_properties=1),
                        "expectReturn": free(min_properties=1),
                        "expectOutcome": EXPECTED_OUTCOME,
                        "expectDelete": Field(type="boolean"),
                    },
                    exactly_one=(_EXPECTATIONS,),
                ),
                max_items=1000,
            ),
        },
        required=True,
    ),
)

_PLACE = {
    "apiVersion": text(required=True),
    "kind": text(required=True),
    "name": text(required=True),
    "namespace": text(),
}
_PASS_EXPECTATIONS = {
    "steps": free("Per label an outcome as in expectOutcome, or `return`."),
    "conditions": free("Per type any of status, reason and message."),
    "state": free("The published state, exactly."),
    "writes": array(
        record({"verb": text(required=True), "kind": text(required=True), "name": text(required=True), "body": free()}),
        "Every write of the pass, in order.",
        max_items=1000,
    ),
    "noWrites": Field(type="boolean"),
    "outcome": EXPECTED_OUTCOME,
    "resources": array(free(), "Objects that must exist, compared in part.", max_items=1000),
    "managedResources": free("The record's resources, exactly."),
    "requeueAfter": Field(type="number", minimum=0, doc="Seconds until the next pass."),
}
_PASS = record(
    {
        "label": text(),
        "advance": _duration("Moves the clock before the pass."),
        "patchParent": free("A merge patch of the trigger."),
        "set": array(record({**_PLACE, "overlay": free(required=True)}), max_items=1000),
        "delete": array(record(_PLACE), max_items=1000),
        "fail": array(
            record(
                {
                    "verb": text(required=True, enum=("get", "create", "patch", "apply", "delete")),
                    "kind": text(required=True),
                    "name": text(),
                    "status": integer(required=True, minimum=400, maximum=599),
                    "times": integer(default=1, minimum=1),
                }
            ),
            max_items=100,
        ),
        "expect": record(_PASS_EXPECTATIONS),
    }
)
WORKFLOW_TEST = Kind(
    group=LAMBENT_GROUP,
    version=LAMBENT_VERSION,
    kind="WorkflowTest",
    plural="workflowtests",
    doc="Passes of a workflow against objects in memory, on a clock that the test moves.",
    spec=record(
        {
            "workflowRef": record({"name": text(required=True)}, required=True),
            "parent": free("The trigger object.", required=True),
            "resources": array(free(), "Objects that exist before.", max_items=1000),
            "passes": array(_PASS, max_items=1000),
            "converge": record(
                {
                    "within": text(required=True, pattern=_DURATION, pattern_hint=_DURATION_HINT),
                    "ready": array(
                        record({"kind": text(required=True), "overlay": free(required=True)}),
                        "What makes the objects of a kind ready.",
                        max_items=100,
                    ),
                },
                "Runs passes until the workflow is ready.",
            ),
        },
        required=True,
        at_least_one=("passes", "converge"),
    ),
)

_ALL = (WORKFLOW, VALUE_FUNCTION, RESOURCE_FUNCTION, RESOURCE_TEMPLATE, FUNCTION_TEST, WORKFLOW_TEST)
KINDS: dict[str, Kind] = {kind.kind: kind for kind in _ALL}


def kind_of(value: dict[str, object]) -> Kind | None:
    """The table for an object, or None for a kind that is not ours."""
    kind = value.get("kind")
    found = KINDS.get(kind) if isinstance(kind, str) else None
    group = str(value.get("apiVersion") or "").rpartition("/")[0]
    return found if found is not None and found.group == group else None

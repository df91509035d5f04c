"""The workflow engine: prepared documents, the pure planner, passes, outcomes. No I/O, no clock."""

from lambent.workflow.engine.catalog import Catalog, Prepared, is_active, load_catalog, prepare
from lambent.workflow.engine.checks import MISSING_REFERENCE, check, check_one
from lambent.workflow.engine.comparison import Difference, differences, first_difference, strictly_equal
from lambent.workflow.engine.effects import Answer, Effect, Found, Read, Refused, TimedOut, Write
from lambent.workflow.engine.functions import PreparedTemplate, ResourceFunction, Unready, ValueFunction
from lambent.workflow.engine.looks import Look, judged
from lambent.workflow.engine.outcomes import (
    DepSkip,
    NotOk,
    Ok,
    Outcome,
    PermFail,
    Retry,
    Skip,
    combine,
    name_of,
)
from lambent.workflow.engine.parents import owner_of, parent_of
from lambent.workflow.engine.passes import WorkflowPass
from lambent.workflow.engine.planner import Plan, address, plan, plan_for
from lambent.workflow.engine.references import Owner, ResourceRef
from lambent.workflow.engine.step_run import RunResult, StepResult
from lambent.workflow.engine.targets import Address, Context
from lambent.workflow.engine.workflows import Step, Workflow

__all__ = [
    "MISSING_REFERENCE",
    "Address",
    "Answer",
    "Catalog",
    "Context",
    "DepSkip",
    "Difference",
    "Effect",
    "Found",
    "Look",
    "NotOk",
    "Ok",
    "Outcome",
    "Owner",
    "PermFail",
    "Plan",
    "Prepared",
    "PreparedTemplate",
    "Read",
    "Refused",
    "ResourceFunction",
    "ResourceRef",
    "Retry",
    "RunResult",
    "Skip",
    "Step",
    "StepResult",
    "TimedOut",
    "Unready",
    "ValueFunction",
    "Workflow",
    "WorkflowPass",
    "Write",
    "address",
    "check",
    "check_one",
    "combine",
    "differences",
    "first_difference",
    "is_active",
    "judged",
    "load_catalog",
    "name_of",
    "owner_of",
    "parent_of",
    "plan",
    "plan_for",
    "prepare",
    "strictly_equal",
]

"""Running the tests that documents hold: FunctionTests and WorkflowTests, against objects in memory."""

from lambent.workflow.testing.function_test import run_function_test
from lambent.workflow.testing.memory_api import MemoryApi, StateMerge
from lambent.workflow.testing.results import CaseResult, TestResult
from lambent.workflow.testing.runner import Loaded, Report, load, prepare, run_tests
from lambent.workflow.testing.workflow_test import run_workflow_test

__all__ = [
    "CaseResult",
    "Loaded",
    "MemoryApi",
    "Report",
    "StateMerge",
    "TestResult",
    "load",
    "prepare",
    "run_function_test",
    "run_tests",
    "run_workflow_test",
]

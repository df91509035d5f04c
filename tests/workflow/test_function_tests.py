"""FunctionTests: what carries on between cases, what each expectation accepts, and what a failure says."""

import textwrap

import pytest

from lambent.workflow.testing import CaseResult, TestResult, prepare, run_tests
from tests.workflow.shared import documents

HEAD = """
apiVersion: koreo.dev/v1beta1
kind: ResourceFunction
metadata: {name: f, namespace: somewhere}
spec:
  apiConfig: {apiVersion: example.org/v1, kind: Thing, name: =inputs.name, namespace: ns}
  preconditions: [{assert: =inputs.size > 0, permFail: {message: ="size is " + string(inputs.size)}}]
  resource: {spec: {size: =inputs.size, tags: =inputs.tags}}
  create: {delay: 9}
  return: {size: =resource.spec.size}
---
apiVersion: koreo.dev/v1beta1
kind: FunctionTest
metadata: {name: t}
spec:
  functionRef: {kind: ResourceFunction, name: f}
  inputs: {name: a, size: 1, tags: {x: 1}}
"""
CREATE = "- {label: create, expectOutcome: {retry: {message: creating thing/a, delay: 9}}}"


def _test(cases: str, head: str = HEAD) -> TestResult:
    text = head + "  testCases:\n" + textwrap.indent(textwrap.dedent(cases).strip(), "  ") + "\n"
    loaded = prepare(documents(text))
    (result,) = run_tests(loaded).tests
    return result


def _cases(cases: str) -> list[CaseResult]:
    result = _test(cases)
    assert result.problems == []
    return result.cases


def _statuses(cases: str) -> list[str]:
    return [case.status for case in _cases(cases)]


def test_inputs_and_object_carry_on_and_a_variant_leaves_nothing_behind() -> None:
    assert _statuses(f"""
        {CREATE}
        - {{variant: true, inputOverrides: {{size: 5}}, expectOutcome: {{retry: {{message: "expected 5, found 1"}}}}}}
        - {{expectReturn: {{size: 1}}}}
        - {{inputOverrides: {{size: 2}}, expectOutcome: {{retry: {{}}}}}}
        - {{expectReturn: {{size: 2}}}}
        """) == ["passed"] * 5  # fmt: skip


def test_overrides_merge_maps_and_replace_everything_else() -> None:
    (case,) = _cases("""
        - inputOverrides: {tags: {y: 2}}
          expectResource:
            apiVersion: example.org/v1
            kind: Thing
            metadata: {name: a, namespace: ns}
            spec: {size: 1, tags: {x: 1, y: 2}}
        """)
    assert case.status == "passed", case.explain()


def test_a_skipped_case_touches_nothing() -> None:
    assert _statuses(f"- {{skip: true, inputOverrides: {{size: 0}}, expectDelete: true}}\n{CREATE}") == [
        "skipped",
        "passed",
    ]


def test_later_cases_run_after_a_failure_and_are_marked() -> None:
    cases = _cases(f"- {{expectReturn: {{size: 1}}}}\n- {{expectReturn: {{size: 1}}}}\n{CREATE}")
    assert [(case.status, case.is_after_failure) for case in cases] == [
        ("failed", False),
        ("passed", True),
        ("failed", True),
    ]


def test_a_difference_is_shown_by_path_in_both_directions() -> None:
    (case,) = _cases("""
        - expectResource:
            apiVersion: example.org/v1
            kind: Thing
            metadata: {name: a, namespace: ns}
            spec: {size: 2, more: 1}
        """)
    assert case.explain() == (
        "the resource differs\n  spec.size: expected 2, got 1\n  spec.more: expected 1, got nothing\n"
        "  spec.tags: expected nothing, got {'x': 1}"
    )


@pytest.mark.parametrize(
    ("case", "reason"),
    [
        ("expectOutcome: {ok: {}}", "expected ok, got Retry: Creating Thing/a."),
        ("expectOutcome: {retry: {delay: 3}}", "expected a delay of 3 s, got 9 s"),
        ("expectOutcome: {retry: {message: patching}}", 'expected a message with "patching", got "Creating Thing/a."'),
        ("expectDelete: true", "expected a delete, got Retry: Creating Thing/a."),
        ("overlayResource: {a: 1}, expectReturn: {a: 1}", "overlayResource needs an object to lay over"),
        ("inputOverrides: {size: 0}, expectReturn: {a: 1}", "expected a return, got PermFail: size is 0"),
    ],
)
def test_a_failure_says_what_was_expected_and_what_came(case: str, reason: str) -> None:
    (result,) = _cases(f"- {{{case}}}")
    assert (result.status, result.reason) == ("failed", reason)


def test_an_overlay_sees_inputs_and_resource_and_bare_names_with_a_warning() -> None:
    text = f"""
        {CREATE}
        - overlayResource: {{spec: {{size: =inputs.size + resource.spec.size}}}}
          expectOutcome: {{retry: {{message: "expected 1, found 2"}}}}
        - overlayResource: {{spec: {{size: =size + 2}}}}
          expectOutcome: {{retry: {{message: "expected 1, found 3"}}}}
        """
    assert _statuses(text) == ["passed"] * 3
    whole = HEAD + "  testCases:\n" + textwrap.indent(textwrap.dedent(text).strip(), "  ") + "\n"
    assert [found.code for found in prepare(documents(whole)).diagnostics] == ["bare-input"]


def test_a_missing_function_fails_its_cases_and_not_the_run() -> None:
    result = _test(
        CREATE,
        HEAD.replace(
            "functionRef: {kind: ResourceFunction, name: f}", "functionRef: {kind: ResourceFunction, name: g}"
        ),
    )
    assert [(case.status, case.reason) for case in result.cases] == [("failed", "ResourceFunction g not found")]


def test_an_invalid_function_fails_its_cases_with_its_diagnostic() -> None:
    result = _test(CREATE, HEAD.replace("=resource.spec.size}", "=resorce.spec.size}"))
    assert 'unknown name "resorce"' in result.cases[0].reason


def test_of_same_named_functions_in_a_file_the_nearest_earlier_one_is_tested() -> None:
    other = HEAD.split("---")[0].replace("{size: =resource.spec.size}", "{size: 77}")
    result = _test(f"{CREATE}\n- {{expectReturn: {{size: 77}}}}", HEAD.replace("---", f"---{other}---", 1))
    assert [case.status for case in result.cases] == ["passed", "passed"]

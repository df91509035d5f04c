"""Results as JUnit XML: a testsuite per test object, a testcase per case, the difference as the failure's text.

Source: the schema that the Jenkins xUnit plugin publishes (junit-10.xsd); `file` and `line` are what CI systems read.
"""

from xml.etree.ElementTree import Element, SubElement, indent, tostring

from lambent.workflow.testing.results import CaseResult
from lambent.workflow.testing.session import Run, Session


def junit(session: Session) -> str:
    """The document. Invalid documents of the set are a suite of their own."""
    root = Element("testsuites", name="lambent")
    if session.problems:
        suite = _suite(root, "documents", [len(session.problems), len(session.problems), 0], 0.0)
        for problem in session.problems:
            case = SubElement(suite, "testcase", classname=_clean(problem.file), name=_clean(problem.object or "file"))
            SubElement(case, "failure", message=_clean(problem.message)).text = _clean(problem.render())
    for run in session.runs:
        _test(root, run)
    indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + tostring(root, encoding="unicode") + "\n"


def _test(root: Element, run: Run) -> None:
    result = run.result
    failed = sum(case.status == "failed" for case in result.cases) + bool(result.problems)
    skipped = sum(case.status == "skipped" for case in result.cases)
    name = f"{result.identity}" + (f" ({run.mode})" if run.mode else "")
    numbers = [len(result.cases) + bool(result.problems), failed, skipped]
    suite = _suite(root, name, numbers, sum(case.duration_us for case in result.cases))
    if result.problems:
        broken = SubElement(suite, "testcase", classname=result.file, name="(document)")
        SubElement(broken, "failure", message="the test is not valid").text = _clean("\n".join(result.problems))
    for case in result.cases:
        _case(suite, run, case)


def _suite(root: Element, name: str, numbers: list[int], duration_us: float) -> Element:
    total, failed, skipped = map(str, numbers)
    return SubElement(
        root,
        "testsuite",
        name=_clean(name),
        tests=total,
        failures=failed,
        errors="0",
        skipped=skipped,
        time=f"{duration_us / 1e6:.6f}",
    )


def _case(suite: Element, run: Run, case: CaseResult) -> None:
    line = case.place.rpartition(":")[2]
    element = SubElement(
        suite,
        "testcase",
        classname=run.result.file,
        name=_clean(case.label),
        file=run.result.file,
        line=line if line.isdigit() else str(run.result.line),
        time=f"{case.duration_us / 1e6:.6f}",
    )
    if case.status == "failed":
        SubElement(element, "failure", message=_clean(case.reason)).text = _clean(case.explain())
    elif case.status == "skipped":
        SubElement(element, "skipped")


def _clean(text: str) -> str:
    """Without characters that XML 1.0 cannot hold."""
    return "".join(char for char in text if char in "\t\n\r" or char >= " ")

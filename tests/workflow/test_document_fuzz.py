"""Valid documents, broken at random by words and by bytes: none raises, and every refusal has a place.

`LAMBENT_FUZZ_INPUTS` sets how many (default 300), `LAMBENT_FUZZ_SEED` which ones. Each input is loaded, validated,
prepared, checked against its neighbours, and its tests are run.
"""

import logging
import os
import random
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from lambent.workflow.spec import load_text
from lambent.workflow.testing import prepare, run_tests
from tests.workflow.shared import ROOT, SEED

INPUTS = int(os.environ.get("LAMBENT_FUZZ_INPUTS", "300"))
RANDOM_SEED = int(os.environ.get("LAMBENT_FUZZ_SEED", "1"))
FOLDERS = (ROOT / "tests/conformance", ROOT / "tests/workflow/documents", ROOT / "examples", SEED)
WORDS = (
    "null", "true", "0", "-1", "1e999", ".nan", "99999999999999999999", "''", '""', "{}", "[]", "[null]", "{a: b}", "=",
    "=1 +", "=inputs", "=resource", "=steps", "=parent.spec", "=[1, 2]", "=null", "'={\"a\": 1}'", "&x", "*x", "<<: *x",
    "!!binary", "|", ">-", "---", "\t", "? ", "é\u2028", "x-koreo-compare-as-map", "x-koreo-compare-as-set", "metadata",
    "spec", "status", "name", "namespace", "annotations", "labels", "ownerReferences", "finalizers", "conditions",
    "deletionTimestamp", "koreo.dev/managed-resources", "koreo.dev/last-applied-configuration", "expect", "ok", "retry",
    "999999999999h", "Workflow", "ValueFunction", "ResourceFunction", "WorkflowTest", "FunctionTest",
)  # fmt: skip
TOKEN = re.compile(r"[A-Za-z0-9_.\-/]+|\s+|.", re.DOTALL)
Mutation = Callable[[random.Random, str], str]


def _replaced(chance: random.Random, text: str) -> str:
    tokens = TOKEN.findall(text)
    tokens[chance.randrange(len(tokens))] = chance.choice(WORDS)
    return "".join(tokens)


def _deleted(chance: random.Random, text: str) -> str:
    tokens = TOKEN.findall(text)
    start = chance.randrange(len(tokens))
    del tokens[start : start + chance.choice((1, 1, 2, 5))]
    return "".join(tokens)


def _inserted(chance: random.Random, text: str) -> str:
    tokens = TOKEN.findall(text)
    tokens.insert(chance.randrange(len(tokens)), chance.choice(WORDS))
    return "".join(tokens)


def _copied(chance: random.Random, text: str) -> str:
    tokens = TOKEN.findall(text)
    start, to = chance.randrange(len(tokens)), chance.randrange(len(tokens))
    tokens[to:to] = tokens[start : start + chance.randrange(1, 20)]
    return "".join(tokens)


def _swapped(chance: random.Random, text: str) -> str:
    tokens = TOKEN.findall(text)
    words = [index for index, token in enumerate(tokens) if token[0].isalnum()] or [0]
    one, other = chance.choice(words), chance.choice(words)
    tokens[one], tokens[other] = tokens[other], tokens[one]
    return "".join(tokens)


def _bytes_changed(chance: random.Random, text: str) -> str:
    data = bytearray(text.encode())
    for _ in range(chance.randrange(1, 4)):
        data[chance.randrange(len(data))] = chance.randrange(256)
    return data.decode(errors="replace")


def _cut(chance: random.Random, text: str) -> str:
    return text[: chance.randrange(len(text))]


MUTATIONS: tuple[Mutation, ...] = (
    _replaced, _replaced, _deleted, _inserted, _copied, _swapped, _swapped, _bytes_changed, _cut,
)  # fmt: skip


def _corpus() -> list[str]:
    files = [file for folder in FOLDERS if folder.exists() for file in sorted(Path(folder).rglob("*.y*ml"))]
    return [text for file in files if 0 < len(text := file.read_text()) < 20_000]


def _refusals(text: str) -> Counter[str]:
    """What became of an input; raises AssertionError for a refusal without a place."""
    documents, problems = load_text(text, "fuzz.k.yaml")
    loaded = prepare(documents, problems)
    errors = [diagnostic for diagnostic in loaded.diagnostics if diagnostic.is_error]
    for error in errors:
        assert error.file, error
        assert error.line > 0, error
        assert error.col > 0, error
        assert len(error.message) <= 1000, error
    report = run_tests(loaded)
    return Counter(refused=bool(errors), passed=report.is_passed and bool(report.tests), inputs=1, errors=len(errors))


def test_broken_documents_are_refused_with_a_place_and_never_raise(caplog: pytest.LogCaptureFixture) -> None:
    chance, corpus, total = random.Random(RANDOM_SEED), _corpus(), Counter[str]()
    for number in range(INPUTS):
        text = chance.choice(corpus)
        for _ in range(chance.choice((1, 1, 1, 2, 3))):
            text = chance.choice(MUTATIONS)(chance, text) if text else text
        try:
            total += _refusals(text)
        except Exception as error:
            error.add_note(f"input {number} of seed {RANDOM_SEED}:\n{text}")
            raise
    # An exception inside a step becomes an outcome and a log line with its traceback.
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []
    print(dict(total))
    assert total["refused"] > INPUTS // 5


@pytest.mark.parametrize("spec", ["{return: 1}", "{preconditions: [{assert: true, retry: {w: 1}}]}", "{apiConfig: {}}"])
@pytest.mark.parametrize("kind", ["ValueFunction", "ResourceFunction", "Workflow"])
def test_a_document_of_an_unknown_version_is_refused_for_that_alone(kind: str, spec: str) -> None:
    text = f"apiVersion: koreo.dev/v1beta1ok\nkind: {kind}\nmetadata: {{name: a, namespace: b}}\nspec: {spec}\n"
    assert _refusals(text)["refused"]

"""The options of a write in its query: dryRun, fieldManager, fieldValidation, force; judged before all else.

Source: Kubernetes API reference, CreateOptions, UpdateOptions, PatchOptions, DeleteOptions; texts and their order as
kube-apiserver 1.34. Not here: what the body of a deletion says (`writes.delete_options`).
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from urllib.parse import parse_qsl

import orjson

from lambent.kube.schema import Problem
from lambent.kubeserver import status
from lambent.kubeserver.call import VALIDATIONS, Call, parse_query

_LONGEST_MANAGER = 128
_GROUP = "meta.k8s.io"


def check_options(call: Call, kind: str, *, is_apply: bool = False) -> None:
    """Raises 422 that names `kind` for options which kube-apiserver refuses."""
    if problems := _problems(call.request.raw_query, kind, is_apply):
        raise status.invalid(_GROUP, kind, "", list(problems))


@lru_cache(maxsize=1024)
def _problems(raw_query: bytes, kind: str, is_apply: bool) -> tuple[Problem, ...]:
    query = parse_query(raw_query)
    problems = [*_of_patch(query, is_apply=is_apply)] if kind == "PatchOptions" else []
    problems += _of_manager(query.get("fieldManager", ""))
    problems += dry_run_problems(_values(raw_query, "dryRun"))
    validation = query.get("fieldValidation", "")
    if validation not in VALIDATIONS:
        problems.append(_unsupported("fieldValidation", f'"{validation}"', VALIDATIONS))
    return tuple(problems)


def check_dry_run(values: Sequence[str]) -> bool:
    """Whether a deletion with these values of dryRun stores nothing; raises 422 for a value other than All."""
    if problems := dry_run_problems(values):
        raise status.invalid(_GROUP, "DeleteOptions", "", problems)
    return bool(values)


def dry_runs_of(call: Call) -> list[str]:
    """All values of dryRun in the query."""
    return _values(call.request.raw_query, "dryRun") if "dryRun" in call.query else []


def dry_run_problems(values: Sequence[str]) -> list[Problem]:
    if all(value == "All" for value in values):
        return []
    return [_unsupported("dryRun", orjson.dumps(values).decode(), ("All",))]


def _unsupported(path: str, shown: str, supported: Sequence[str]) -> Problem:
    listed = ", ".join(f'"{one}"' for one in supported)
    return Problem(path, "FieldValueNotSupported", f"Unsupported value: {shown}: supported values: {listed}")


def _values(raw_query: bytes, name: str) -> list[str]:
    pairs = parse_qsl(raw_query.decode("latin-1"), keep_blank_values=True)
    return [value for key, value in pairs if key == name]


def _of_patch(query: dict[str, str], *, is_apply: bool) -> Iterator[Problem]:
    if not is_apply and "force" in query:
        yield Problem("force", "FieldValueForbidden", "Forbidden: may not be specified for non-apply patch")
    if is_apply and not query.get("fieldManager"):
        yield Problem("fieldManager", "FieldValueRequired", "Required value: is required for apply patch")


def _of_manager(manager: str) -> Iterator[Problem]:
    if len(manager.encode()) > _LONGEST_MANAGER:
        text = f"Too long: may not be more than {_LONGEST_MANAGER} bytes"
        yield Problem("fieldManager", "FieldValueTooLong", text)
    for at, sign in enumerate(manager):
        if not sign.isprintable():
            where = f"invalid character U+{ord(sign):04X} (at position {at})"
            text = f"Invalid value: {orjson.dumps(manager).decode()}: {where}"
            yield Problem("fieldManager", "FieldValueInvalid", text)
            return

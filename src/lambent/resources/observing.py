"""Observation: a kind's reads, run, and their answers in the form in which the spec is compared.

The first read tells whether the resource exists; the others run together, and only those whose fields are or were
declared. Not here: what a difference means (`planning`).
"""

from collections.abc import Mapping
from typing import Any

from lambent.aws.errors import AwsError
from lambent.resources import schema
from lambent.resources.declaration import Answer, Call, Field, Kind, Observed, Read, Subject
from lambent.resources.failures import Failure, classify
from lambent.resources.fanout import together
from lambent.resources.planning import is_read

_NONE: Mapping[str, Answer] = {}


async def observe(
    kind: Kind,
    call: Call,
    subject: Subject,
    *,
    everything: bool = False,
    made: Answer | None = None,
    kept: Mapping[str, Answer] = _NONE,
) -> Observed | None:
    """What AWS holds, or None when the resource is absent; AwsError for anything else.

    `everything`: also what nobody declared, for adoption; what the endpoint cannot answer is then left out.
    `made`: the answer of the call that made it just now, so what creation decides is not asked. `kept`: answers of this
    pass, by read, that still hold.
    """
    first, *others = kind.reads
    known = {**(_decided(kind, subject, made) if made is not None else {}), **kept}
    try:
        answers = {first.name: known[first.name] if first.name in known else await _answer(first, call, subject, {})}
    except AwsError as error:
        if error.code in kind.absent_codes:
            return None
        raise
    asked = [read for read in others if read.name not in known and (everything or is_read(read, subject))]
    lenient = [everything and not is_read(read, subject) for read in asked]
    found = await together(
        _answer(read, call, subject, answers, lenient=skip) for read, skip in zip(asked, lenient, strict=True)
    )
    return interpret(
        kind, subject, {**answers, **known, **dict(zip((read.name for read in asked), found, strict=True))}
    )


def _decided(kind: Kind, subject: Subject, made: Answer) -> dict[str, Answer]:
    fresh = {read.name: read.fresh for read in kind.reads if read.fresh is not None}
    return {name: answer(subject, made) if callable(answer) else answer for name, answer in fresh.items()}


async def _answer(
    read: Read, call: Call, subject: Subject, answers: Mapping[str, Answer], *, lenient: bool = False
) -> Answer:
    try:
        if read.fetch is not None:
            return await read.fetch(call, subject)
        return await call(read.op, read.params(subject, answers) if read.params else {})
    except AwsError as error:
        if error.code in read.none_codes or (lenient and classify(error) in _UNANSWERABLE):
            return {}
        raise


_UNANSWERABLE = frozenset({Failure.UNKNOWN, Failure.INVALID, Failure.NOT_FOUND, Failure.DENIED})


def interpret(kind: Kind, subject: Subject, answers: Mapping[str, Answer]) -> Observed:
    """Pure: answers in, observation out."""
    fields = {field.path: _field_value(kind, field, answers) for field in kind.fields if field.source}
    if fields.get(kind.name_field) is None:
        fields[kind.name_field] = subject.value(kind.name_field)
    status: dict[str, Any] = {}
    for source in kind.status_sources:
        status |= schema.from_aws(kind.status, _at(answers, source) or {})
    status |= kind.status_of(subject, answers)
    return Observed(answers=answers, fields=fields, arn=kind.arn(subject, answers), status=status)


def _field_value(kind: Kind, field: Field, answers: Mapping[str, Answer]) -> Any:
    value = _at(answers, field.source)
    if field.decode is not None:
        return field.decode(value)
    return None if value is None else schema.from_aws(kind.spec.at(field.path), value)


def _at(answers: Mapping[str, Any], place: str) -> Any:
    """A dotted place; "Ab.Cd" may also be one key of an answer that a fetch made."""
    found: Any = answers
    for part in place.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return found

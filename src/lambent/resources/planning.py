"""The pure middle of a reconcile: what is wanted, how it differs from what is, which calls would make it so.

`desire` gives each field of the kind the value it must have, `diff` compares with the observation, `plan` turns
differences into Steps in the order of the kind's writes. A dry run prints the plan. Not here: any I/O, any knowledge
of a single kind.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from lambent.resources.comparison import pruned
from lambent.resources.declaration import Answer, Change, Difference, Field, Kind, Observed, Read, Step, Subject


def tag_map(value: Any) -> dict[str, str]:
    """Tags of any of AWS's forms (map, list of key and value, `tagSet`) as one map."""
    if isinstance(value, Mapping):
        inner = value.get("tagSet", value.get("TagSet"))
        return tag_map(inner) if inner is not None else {str(k): str(v) for k, v in value.items() if k != "tagSet"}
    pairs = [{name.lower(): item for name, item in tag.items()} for tag in value or ()]
    return {str(pair["key"]): str(pair.get("value") or "") for pair in pairs if pair.get("key")}


def declared_paths(kind: Kind, subject: Subject) -> frozenset[str]:
    """The kind's fields that the spec of this pass holds."""
    return frozenset(field.path for field in kind.fields if subject.value(field.path) is not None)


def is_read(read: Read, subject: Subject) -> bool:
    """A read is worth its call when it is unconditional, or one of its fields is or was declared."""
    return not read.fields or any(path in subject.declared or subject.value(path) is not None for path in read.fields)


def kept(kind: Kind, observed: Observed, written: Collection[str]) -> dict[str, Answer]:
    """The answers that writes of these fields cannot have changed."""
    touched = {kind.field_at(path).source.partition(".")[0] for path in written}
    names = (read.name for read in kind.reads if read.is_apart and read.name not in touched)
    return {name: observed.answers[name] for name in names if name in observed.answers}


def desire(kind: Kind, subject: Subject) -> dict[str, Any]:
    """The value that each field must have; fields that are not ours in this pass are left out."""
    wanted: dict[str, Any] = {}
    for field in kind.fields:
        value = subject.value(field.path)
        if field.path == kind.tag_field:
            wanted[field.path] = {**subject.tags, **tag_map(value)}
        elif value is not None:
            wanted[field.path] = value
        elif _must_reset(field, kind, subject):
            wanted[field.path] = field.neutral
    return wanted


def _must_reset(field: Field, kind: Kind, subject: Subject) -> bool:
    if field.absent == "ignore":
        return False
    return field.path in subject.declared or (field.absent == "reset" and not _is_conditional(field, kind))


def _is_conditional(field: Field, kind: Kind) -> bool:
    """A field read only on demand cannot be reset on suspicion: nobody has looked whether it is set."""
    return any(field.path in read.fields for read in kind.reads)


def diff(kind: Kind, desired: Mapping[str, Any], observed: Observed) -> tuple[Difference, ...]:
    """The fields that AWS holds otherwise than wanted, in the kind's order."""
    found = []
    for field in kind.fields:
        if field.path not in desired:
            continue
        want, have = desired[field.path], observed.fields.get(field.path)
        if not same(field, want, have):
            found.append(Difference(field.path, want, have))
    return tuple(found)


def same(field: Field, want: Any, have: Any) -> bool:
    """Whether both values mean the same for the field, absence being its neutral value."""
    return field.compare(field.neutral if want is None else want, field.neutral if have is None else have)


def fixed_differences(kind: Kind, differences: Iterable[Difference]) -> tuple[str, ...]:
    """Paths that AWS cannot change after creation."""
    return tuple(item.path for item in differences if kind.field_at(item.path).fixed)


def plan(
    kind: Kind, subject: Subject, *, desired: Mapping[str, Any], observed: Observed, differences: Sequence[Difference]
) -> tuple[Step, ...]:
    """The calls that remove the differences, in order. Fixed fields are nobody's: they yield no step."""
    changed = {item.path for item in differences}
    steps: list[Step] = []
    for write in kind.writes:
        paths = tuple(path for path in write.fields if path in changed)
        if paths:
            change = Change(subject=subject, want=desired, have=observed.fields, observed=observed, paths=paths)
            steps += write.steps(change)
    return tuple(steps)


def legal_now(steps: Sequence[Step]) -> tuple[Step, ...]:
    """The first steps of a plan that one observation can carry.

    A settling step ends the run; a guarded step cannot follow a write, whose effect its guard would trip over.
    """
    run: list[Step] = []
    for step in steps:
        if step.guarded and run:
            break
        run.append(step)
        if step.settles:
            break
    return tuple(run)


def fills(kind: Kind, subject: Subject, observed: Observed) -> dict[str, Any]:
    """Late initialisation: absent fields of `late_init` and the values that AWS chose for them.

    A field that the user removed after it had been filled stays removed; it is among the declared ones.
    """
    found: dict[str, Any] = {}
    for path in kind.late_init:
        value = observed.fields.get(path)
        if subject.value(path) is None and path not in subject.declared and pruned(value) is not None:
            found[path] = value
    return found

"""The words in which a kind is declared, and the values that pass between the stages of a reconcile.

A kind is data: its schema, how it is read, how each field compares, which calls write it. One engine interprets it.

    Kind ── Field    what of the spec is ours, where its observed value is found, what absence means
         ├─ Read     one AWS call that observes; its answer is kept under the read's name
         ├─ Write    which fields' differences turn into which Steps; the order of `writes` is the order of execution
         ├─ Ref      a field whose value may come from another object
         └─ Hooks    the few plain functions for what data cannot say

    observe -> Observed -> diff(desired) -> [Difference] -> plan -> [Step] -> execute

All functions held by these values are pure, but for those typed `Awaitable`. Not here: any decision (`planning`), any
I/O (`engine`).
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from lambent.aws.errors import AwsError
from lambent.kube.types import GVK, KubeObject
from lambent.resources import comparison, schema
from lambent.resources.comparison import Compare

Absent = Literal["ignore", "reset", "reset_if_declared"]
Params = Mapping[str, Any]
Answer = Mapping[str, Any]
Call = Callable[[str, Params], Awaitable[Answer]]


@dataclass(frozen=True, slots=True)
class Subject:
    """One object in one pass: its spec in normal form with references resolved, and where its resource lives."""

    obj: KubeObject
    spec: Mapping[str, Any]
    namespace: str
    account_id: str
    region: str
    partition: str
    tags: Mapping[str, str]
    declared: frozenset[str] = frozenset()
    records: Mapping[str, Any] = field(default_factory=dict)
    recorded_arn: str = ""

    def value(self, path: str) -> Any:
        """The spec's value at a dotted path, None when absent."""
        first, *rest = path.split(".")
        found = self.spec.get(first)
        for part in rest:
            # A dict, as JSON makes it: asking for any Mapping takes ten times as long, and a pass asks very often.
            found = found.get(part) if isinstance(found, dict) else None
        return found

    @property
    def annotations(self) -> Mapping[str, str]:
        return self.obj["metadata"].get("annotations") or {}


@dataclass(frozen=True, slots=True)
class Observed:
    """What AWS holds: the answers by read, the fields in normal form, the ARN and the members of our status."""

    answers: Mapping[str, Answer]
    fields: Mapping[str, Any]
    arn: str
    status: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Difference:
    """One field that AWS holds otherwise than wanted."""

    path: str
    want: Any
    have: Any


@dataclass(frozen=True, slots=True)
class Change:
    """What a `Write` makes its steps from."""

    subject: Subject
    want: Mapping[str, Any]
    have: Mapping[str, Any]
    observed: Observed
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One AWS call. `settles`: nothing else is legal before the resource is steady again. `guarded`: needs an
    observation that no other write of this pass has made old. `tolerate`: error codes that mean it is done already.
    `remember`: what goes to `status.lambent` once it is done. `before`: what has to happen first. `then`: what reads
    answer once it is done, for a call that leaves nothing open: a look at once would only meet what lags behind.
    """

    op: str
    params: Params = field(repr=False)
    why: str = ""
    settles: bool = False
    guarded: bool = False
    tolerate: frozenset[str] = frozenset()
    remember: Mapping[str, Any] = field(default_factory=dict)
    before: "Callable[[Call, Subject], Awaitable[None]] | None" = None
    then: Mapping[str, Answer] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Field:
    """A part of the spec: `source` is the dotted place of its observed value, beginning with the read's name.

    `neutral` is what AWS holds when nothing is set; it is equal to absence and is what resetting sends. `fixed` fields
    cannot be changed after creation: a difference is told and never sent. `adopted`: adoption fills it into the spec.
    """

    path: str
    source: str = ""
    compare: Compare = comparison.exact
    absent: Absent = "reset_if_declared"
    neutral: Any = None
    fixed: bool = False
    decode: Callable[[Any], Any] | None = None
    adopted: bool = True


@dataclass(frozen=True, slots=True)
class Read:
    """One observing call, or `fetch` for what takes several. The first read of a kind tells whether it exists.

    `fresh` is the answer of a resource that was made just now, where creation decides it (from the subject and what the
    creating call answered, where it depends on them): it needs no call. `is_apart`: writes of fields that other reads
    observe leave this answer as it was, so it is not asked again after them.
    """

    name: str
    op: str = ""
    params: Callable[[Subject, Mapping[str, Answer]], Params] | None = None
    fetch: Callable[[Call, Subject], Awaitable[Answer]] | None = None
    none_codes: frozenset[str] = frozenset()
    fields: tuple[str, ...] = ()
    fresh: Answer | Callable[[Subject, Answer], Answer] | None = None
    is_apart: bool = False


@dataclass(frozen=True, slots=True)
class Write:
    """Differences in `fields` become steps. `name` stands in messages and events."""

    name: str
    fields: tuple[str, ...]
    steps: Callable[[Change], Sequence[Step]]


@dataclass(frozen=True, slots=True)
class Ref:
    """A field that may be given as a reference. `value` is "arn" or a dotted place of the target such as "spec.name".

    `many`: `ref` is a list whose values are appended to the literal list.
    """

    field: str
    ref: str
    target: GVK
    value: str = "arn"
    many: bool = False
    needed: bool = False


@dataclass(frozen=True, slots=True)
class Column:
    """A printer column of the CRD."""

    name: str
    json_path: str
    type: str = "string"
    priority: int = 0


@dataclass(frozen=True, slots=True)
class Settling:
    """What a kind says of an observed resource that is not steady: wait for it, or it failed."""

    state: Literal["waiting", "failed", "broken"]
    message: str
    is_deletion: bool = False


@dataclass(frozen=True, slots=True)
class Hooks:
    """The plain functions of a kind.

    * `check`: why the spec can never be taken (Terminal text), or None.
    * `settling`: why the resource is not steady, or None.
    * `adjust`: desired fields that take more than the spec to know.
    * `again`: the step to send once more when AWS took a change and then failed to carry it out.
    * `records`: what to remember in `status.lambent` once nothing differs.
    * `before_delete`: steps that empty the resource of what is its own.
    * `blockers`: after a refused deletion, what stands in the way.
    * `not_yet`: a name of the requeue table when an error only says that something else is not there yet.
    * `explain`: what to say of an error whose own text says too little, or "".
    * `created_at`: when AWS made it, for kinds whose creation cannot carry tags.
    """

    check: Callable[[Subject], str | None] = lambda subject: None
    settling: Callable[[Observed], Settling | None] = lambda observed: None
    adjust: Callable[[Subject, Mapping[str, Any], Observed], Mapping[str, Any]] | None = None
    again: Callable[[Change], Sequence[Step]] = lambda change: ()
    records: Callable[[Subject], Mapping[str, Any]] = lambda subject: {}
    before_delete: Callable[[Call, Subject, Observed], Awaitable[Sequence[Step]]] | None = None
    blockers: Callable[[Call, Subject, AwsError], Awaitable[str]] | None = None
    not_yet: Callable[[AwsError], tuple[str, str] | None] = lambda error: None
    explain: Callable[[AwsError], str] = lambda error: ""
    created_at: Callable[[Call, Subject], Awaitable[str]] | None = None


@dataclass(frozen=True, slots=True)
class Kind:
    """One custom resource kind, complete.

    `spec` and `status` are schema texts. `create` makes the creating step from the desired fields. `arn` makes the ARN
    from identity, account and observation. `late_init` are the absent fields that one patch may fill from AWS.
    `error_text` frames the error of a failed write ({field}, {error}).
    """

    group: str
    kind: str
    plural: str
    service: str
    short: str
    spec: schema.Node
    status: schema.Node
    name_field: str
    arn: Callable[[Subject, Mapping[str, Answer]], str]
    fields: tuple[Field, ...]
    reads: tuple[Read, ...]
    create: Callable[[Subject, Mapping[str, Any]], Step]
    delete: Callable[[Subject], Step]
    writes: tuple[Write, ...]
    absent_codes: frozenset[str]
    status_sources: tuple[str, ...] = ()
    status_of: Callable[[Subject, Mapping[str, Answer]], Mapping[str, Any]] = lambda subject, answers: {}
    volatile: frozenset[str] = frozenset()
    late_init: tuple[str, ...] = ()
    refs: tuple[Ref, ...] = ()
    columns: tuple[Column, ...] = ()
    tag_field: str = "tags"
    tags_on_create: bool = True
    hooks: Hooks = field(default_factory=Hooks)
    error_text: str = "{error}"

    @property
    def gvk(self) -> GVK:
        return GVK(self.group, "v1alpha1", self.kind)

    @property
    def finalizer(self) -> str:
        return f"finalizers.{self.group}/{self.kind}"

    def field_at(self, path: str) -> Field:
        return next(item for item in self.fields if item.path == path)

"""Is a resource that was found ours? A finalizer alone does not prove it.

Until the ARN is recorded in the status, what is found counts as ours only if its namespace tag names our namespace, or,
where creation carries no tags, if it is not older than the object. After a crash between creation and the first status
this proof lets the pass go on; without it the resource is somebody else's and is never touched.

Two clocks are compared there, the cluster's and AWS's, so an age within the skew that AWS suffers proves nothing
against us: our finalizer is set only after a read that found no such resource. What is older was there before, and the
finalizer came with the object, from a backup for instance.
"""

from datetime import timedelta

from lambent.clock import parse_rfc3339
from lambent.resources.adoption import ADOPTED
from lambent.resources.comparison import NAMESPACE_TAG
from lambent.resources.declaration import Call, Kind, Observed, Subject

# AWS refuses requests that are signed with a clock further off (S3 API reference, RequestTimeTooSkewed).
_SKEW = timedelta(minutes=15)


async def is_ours(kind: Kind, call: Call, subject: Subject, observed: Observed) -> bool:
    """AwsError when the proof needs a call and AWS refuses it."""
    if subject.recorded_arn or subject.annotations.get(ADOPTED) == "true":
        return True
    tag = (observed.fields.get(kind.tag_field) or {}).get(NAMESPACE_TAG)
    if tag is not None:
        return bool(tag == subject.namespace)
    if kind.tags_on_create or kind.hooks.created_at is None:
        return False
    created = await kind.hooks.created_at(call, subject)
    born = subject.obj["metadata"].get("creationTimestamp", "")
    return bool(created and born) and parse_rfc3339(created) >= parse_rfc3339(born) - _SKEW

"""Groups of the Kubernetes community need a note of approval. Source: KEP-1111."""

from typing import Any
from urllib.parse import urlsplit

from lambent.kube.schema import Problem
from lambent.kubeserver.definitions.refusals import invalid, shown
from lambent.kubeserver.draft import Draft
from lambent.kubeserver.validation.errors import required

_NOTE = "api-approved.kubernetes.io"
_PATH = f"metadata.annotations[{_NOTE}]"
_SEE = "see https://github.com/kubernetes/enhancements/pull/1111"
_MISSING = f'protected groups must have approval annotation "{_NOTE}", {_SEE}'
_MALFORMED = (
    f'protected groups must have approval annotation "{_NOTE}" with either a URL or a reason starting with '
    f'"unapproved", {_SEE}'
)


def is_protected(group: str) -> bool:
    return group in ("k8s.io", "kubernetes.io") or group.endswith((".k8s.io", ".kubernetes.io"))


def approval(obj: Any) -> tuple[str, str, str]:
    """Status, reason and message of the condition `KubernetesAPIApprovalPolicyConformant`."""
    note = (obj["metadata"].get("annotations") or {}).get(_NOTE) or ""
    if not note:
        return "False", "MissingAnnotation", _MISSING
    if note.startswith("unapproved"):
        return "False", "UnapprovedAnnotation", f"not approved: {shown(note)}"
    if _is_url(note):
        return "True", "ApprovedAnnotation", f"approved in {note}"
    return "False", "InvalidAnnotation", _MALFORMED


def approval_problems(draft: Draft) -> list[Problem]:
    """A missing or malformed note, unless it was like that before."""
    new: Any = draft.new
    if not is_protected((new.get("spec") or {}).get("group") or ""):
        return []
    _, reason, text = approval(new)
    if draft.old is not None and approval(draft.old)[1] == reason:
        return []
    if reason == "MissingAnnotation":
        return [required(_PATH, text)]
    if reason == "InvalidAnnotation":
        return [invalid(_PATH, new["metadata"]["annotations"][_NOTE], text)]
    return []


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return bool(parts.scheme and parts.netloc)

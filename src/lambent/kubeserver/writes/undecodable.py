"""What is told of a body that cannot be read as an object of its kind, and of members that nothing declares.

Each way of writing (a whole body, a patch, a strategic one, an apply) is refused in words of its own, those of
kube-apiserver.
"""

from typing import Any

from lambent.kubeserver import status
from lambent.kubeserver.builtin.bodies import shown_patched
from lambent.kubeserver.draft import Draft
from lambent.kubeserver.requests.decoding import media_type, parse_json
from lambent.kubeserver.status import bad_request
from lambent.kubeserver.validation import errors
from lambent.kubeserver.writes.ownership import where_of
from lambent.kubeserver.writes.ownership.values import go_text


def is_strategic(draft: Draft) -> bool:
    return draft.is_patch and media_type(draft.call).startswith("application/strategic")


def undecodable(draft: Draft, why: str, obj: Any = None) -> status.ApiError:
    """A body whose members have the wrong types, or a patch that leaves such a body; `obj` is that body as it was."""
    kind, given = draft.resource.kind, draft.new.get("apiVersion")
    version = given.rpartition("/")[2] if isinstance(given, str) and given else draft.resource.gvk.version
    if is_strategic(draft):
        shown = errors.show(go_text(parse_json(draft.call.request.body)))
        return status.invalid("", "", "", [errors.invalid_shown("patch", shown, why)])
    if draft.is_patch and not draft.is_apply:
        return bad_patch(draft, draft.new if obj is None else obj, why)
    if draft.is_apply and not draft.resource.custom:
        return _unconvertible(draft, why)
    return bad_request(f'{kind} in version "{version}" cannot be handled as a {kind}: {why}')


def _unconvertible(draft: Draft, why: str) -> status.ApiError:
    """Of a builtin kind, what an apply made that its struct cannot hold."""
    version = draft.resource.api_version if draft.resource.group else f"/{draft.resource.api_version}"
    kind = f"{version}, Kind={draft.resource.kind}"
    lead = f"failed to convert new object ({where_of(draft.applied)}; {kind}) to proper version"
    return status.ApiError(500, f"{lead}: unable to convert unstructured object to {kind}: {why}", reason="")


def bad_patch(draft: Draft, obj: Any, why: str) -> status.ApiError:
    if draft.resource.custom or draft.is_apply:
        return status.bad_patch(obj, why)
    return status.bad_patch(shown_patched(draft.resource, obj, parse_json(draft.call.request.body)), why)


def report(draft: Draft, mode: str, unknown: list[str], shown: Any) -> None:
    doubled = draft.call.duplicates
    missing = [f'unknown field "{path}"' for path in sorted(unknown)]
    texts = [*doubled, *missing] if draft.resource.custom else [*missing, *doubled]
    if not texts or mode == "Ignore":
        return
    if mode == "Warn":
        draft.call.warnings += texts
        return
    ending = f"strict decoding error: {', '.join(texts)}"
    raise undecodable(draft, ending, shown)

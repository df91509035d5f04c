"""Which objects of a workflow are watched by our label, and which by name."""

import pytest

from lambent.kube.types import Selector
from lambent.workflow.controller.watches import Watched, watch_for
from lambent.workflow.engine import ResourceRef


@pytest.mark.parametrize(
    ("kind", "by_label"),
    [
        (("apps/v1", "Deployment"), True),
        (("v1", "Service"), True),
        (("v1", "Secret"), False),
        (("v1", "ConfigMap"), False),
    ],
    ids=lambda value: value[1] if isinstance(value, tuple) else "",
)
def test_secrets_and_config_maps_are_watched_by_name_alone(kind: tuple[str, str], by_label: bool) -> None:
    ref = ResourceRef(*kind, namespace="n", name="a")
    watched = watch_for(ref, None)
    if by_label:
        assert (watched.namespace, watched.selector.labels) == (None, "lambent.dev/managed=true")
    else:
        assert watched == Watched(watched.gvk, "n", Selector(fields="metadata.name=a"))

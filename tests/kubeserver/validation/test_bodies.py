"""What Go's decoder says of a body that does not fit its struct; the texts are kube-apiserver's."""

import copy
from typing import Any

import pytest

from lambent.kubeserver.builtin.bodies import no_metadata, read_body, read_metadata
from lambent.kubeserver.builtin.orders import quoted

SPEC = "json: cannot unmarshal {} into Go struct field {} of type {}"


@pytest.mark.parametrize(
    ("kind", "body", "why"),
    [
        (("apps", "v1", "Deployment"), {"spec": {"replicas": "x"}},
         SPEC.format("string", "DeploymentSpec.spec.replicas", "int32")),
        (("apps", "v1", "Deployment"), {"spec": {"replicas": 3_000_000_000}},
         SPEC.format("number 3000000000", "DeploymentSpec.spec.replicas", "int32")),
        (("apps", "v1", "Deployment"), {"spec": {"template": {"spec": {"containers": [{"imagePullPolicy": 5}]}}}},
         SPEC.format("number", "Container.spec.template.spec.containers.imagePullPolicy", "v1.PullPolicy")),
        (("", "v1", "ConfigMap"), {"data": []}, SPEC.format("array", "ConfigMap.data", "map[string]string")),
        (("", "v1", "ConfigMap"), {"data": {"a": 1}}, SPEC.format("number", "ConfigMap.data", "string")),
        (("", "v1", "Secret"), {"data": {"a": "%"}}, "illegal base64 data at input byte 0"),
        (("coordination.k8s.io", "v1", "Lease"), {"spec": {"renewTime": "now"}},
         'parsing time "now" as "2006-01-02T15:04:05.000000Z07:00": cannot parse "now" as "2006"'),
        (("coordination.k8s.io", "v1", "Lease"), {"spec": {"renewTime": "2026-13-01T00:00:00.000000Z"}},
         'parsing time "2026-13-01T00:00:00.000000Z": month out of range'),
        (("coordination.k8s.io", "v1", "Lease"), {"spec": {"renewTime": "2026-01-01T00:00:00.000000Z"}}, ""),
    ],
)  # fmt: skip
def test_the_first_member_that_does_not_fit_is_named(kind, body, why):
    group, version, name = kind
    assert read_body(group, version, name, copy.deepcopy(body))[0] == why


def test_what_fits_is_brought_into_its_form():
    limits = {"cpu": 1, "memory": "1024Mi"}
    body = {"spec": {"containers": [{"name": "a", "resources": {"limits": limits}}]}}
    assert read_body("", "v1", "Pod", body)[0] == ""
    assert limits == {"cpu": "1", "memory": "1Gi"}


def test_of_a_named_resource_there_is_no_part_below_a_thousandth():
    limits = {"cpu": "1u", "memory": "1.0005", "storage": "-0.0001", "example.com/x": "1.0005e0"}
    volumes = [{"name": "a", "emptyDir": {"sizeLimit": "1.0005"}}]
    body = {"spec": {"containers": [{"name": "a", "resources": {"limits": limits}}], "volumes": volumes}}
    assert read_body("", "v1", "Pod", body)[0] == ""
    assert limits == {"cpu": "1m", "memory": "1001m", "storage": "-1m", "example.com/x": "1001e-3"}
    assert volumes[0]["emptyDir"] == {"sizeLimit": "1000500u"}, "a size is not such a resource"


def test_metadata_that_is_no_object_is_told_with_its_struct():
    assert no_metadata("x") == "json: cannot unmarshal string into Go value of type v1.ObjectMeta"
    assert no_metadata("x", "ConfigMap") == SPEC.format("string", "ConfigMap.metadata", "v1.ObjectMeta")


def test_metadata_is_read_like_a_struct():
    meta: dict[str, Any] = {"name": "a", "labels": {"x": None}, "generateName": None, "colour": "red", "finalizers": []}
    assert read_metadata(meta) == ("", ["colour"])
    assert meta == {"name": "a", "labels": {"x": ""}}
    why, _ = read_metadata({"generation": 1.5, "colour": "red"})
    assert why == "json: cannot unmarshal number 1.5 into Go struct field ObjectMeta.generation of type int64"


def test_what_a_patch_does_not_reach_keeps_the_order_of_its_struct():
    obj = {"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"uid": "u", "name": "n"}, "data": {"b": "1", "a": "2"}}
    name = "io.k8s.api.core.v1.ConfigMap"
    untouched = '{"apiVersion":"v1","data":{"a":"2","b":"1"},"kind":"ConfigMap","metadata":{"name":"n","uid":"u"}}'
    assert quoted(obj, name, {"data": {"b": "1"}}) == untouched
    assert quoted(obj, name, [{"op": "add", "path": "/data/b", "value": "1"}]) == untouched
    reached = obj | {"metadata": {"uid": "u", "name": "n", "generation": 1}}
    assert '"metadata":{"generation":1,"name":"n","uid":"u"}' in quoted(reached, name, {"metadata": {"name": "n"}})

"""What a strategic patch makes of lists and maps that the object does not have yet: they are taken as they are."""

import pytest

from tests.kubeserver.asking import STRATEGIC

DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
TWICE = [{"name": "e", "value": "v"}, {"name": "e", "value": "w"}]


def _deployment():
    pod = {"metadata": {"labels": {"a": "b"}}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
    spec = {"selector": {"matchLabels": {"a": "b"}}, "template": pod}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a"}, "spec": spec}


@pytest.mark.parametrize(
    ("patch", "path", "made"),
    [
        ({"containers": [{"name": "c", "env": TWICE}]}, ("containers", 0, "env"), TWICE),
        ({"containers": [{"name": "n", "image": "i", "env": TWICE}]}, ("containers", 0, "env"), TWICE),
        (
            {"containers": [{"name": "n", "image": "i", "env": [{"$patch": "delete", "name": "e"}]}]},
            ("containers", 0, "env"),
            [{"name": "e"}],  # of a new item nothing is read as a directive
        ),
        (
            {"containers": [{"name": "c", "env": [{"$patch": "merge", "name": "e"}, {"name": "f", "value": None}]}]},
            ("containers", 0, "env"),
            [{"name": "f"}],
        ),
        ({"securityContext": {"sysctls": {"$patch": "zap"}, "runAsUser": 5}}, ("securityContext",), {"runAsUser": 5}),
    ],
)
async def test_what_is_new_is_taken_as_it_is(ask, patch, path, made):
    await ask("POST", DEPLOYMENTS, _deployment())
    code, found = await ask("PATCH", f"{DEPLOYMENTS}/a", {"spec": {"template": {"spec": patch}}}, media=STRATEGIC)
    assert code == 200, found
    found = found["spec"]["template"]["spec"]
    for step in path:
        found = found[step]
    assert found == made


@pytest.mark.parametrize(
    ("patch", "message"),
    [
        ({"containers": [{"name": "c", "env": [{"value": "v"}]}]}, "containers[0].env[0].name: Required value"),
        ({"initContainers": [{"name": "i", "image": "x"}] * 2}, 'initContainers[1].name: Duplicate value: "i"'),
    ],
)
async def test_a_new_list_is_judged_as_any_other(ask, patch, message):
    await ask("POST", DEPLOYMENTS, _deployment())
    code, found = await ask("PATCH", f"{DEPLOYMENTS}/a", {"spec": {"template": {"spec": patch}}}, media=STRATEGIC)
    assert (code, found["message"]) == (422, f'Deployment.apps "a" is invalid: spec.template.spec.{message}')


async def test_a_list_that_is_there_needs_the_key_of_each_item(ask):
    await ask("POST", DEPLOYMENTS, _deployment())
    patch = {"spec": {"template": {"spec": {"containers": [{"image": "x"}]}}}}
    code, found = await ask("PATCH", f"{DEPLOYMENTS}/a", patch, media=STRATEGIC)
    assert (code, found["message"]) == (500, "map: map[image:x] does not contain declared merge key: name")

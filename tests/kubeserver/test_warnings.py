"""What is accepted with a warning, and what only DELETE may do."""

import pytest

from tests.kubeserver.asking import CONFIGMAPS, CRDS, GIZMOS, MERGE, STRATEGIC, configmap, gizmo, gizmo_crd

JOBS = "/apis/batch/v1/namespaces/default/jobs"


async def test_a_finalizer_without_a_domain_warns_on_a_custom_object(ask):
    await ask.add_crd(gizmo_crd())
    assert (await ask("POST", GIZMOS, gizmo("a", finalizers=["plain"])))[0] == 201
    assert "prefer a domain-qualified finalizer name" in ask.headers["warning"][0]
    await ask("PATCH", f"{GIZMOS}/a", {"metadata": {"labels": {"a": "b"}}}, media=MERGE)
    assert "warning" not in ask.headers, "of what it had before nobody is warned again"
    await ask("PATCH", f"{GIZMOS}/a", {"metadata": {"finalizers": ["plain", "other"]}}, media=MERGE)
    assert [text.split('"')[2] for text in ask.headers["warning"]] == ["other\\"]


async def test_bytes_that_are_none_are_told_of_as_what_reads_them_does(ask):
    secrets = "/api/v1/namespaces/default/secrets"
    await ask("POST", secrets, {"metadata": {"name": "s"}})
    wrong = {"data": {"a": "?"}}
    _, answer = await ask("PATCH", f"{secrets}/s", wrong, media=STRATEGIC)
    assert answer["message"].endswith(
        '"map[data:map[a:?]]": error decoding from json: illegal base64 data at input byte 0'
    )
    _, answer = await ask("PATCH", f"{secrets}/s", wrong, media=MERGE)
    assert "decoding from json" not in answer["message"]


async def test_an_unknown_format_warns(ask):
    crd = gizmo_crd({"type": "object", "properties": {"a": {"type": "string", "format": "zodiac"}}})
    assert (await ask("POST", CRDS, crd))[0] == 201
    assert ask.headers["warning"] == ['299 - "unrecognized format \\"zodiac\\""']


async def test_a_job_keeps_its_pods_unless_told_otherwise_and_says_so(ask):
    template = {"spec": {"restartPolicy": "Never", "containers": [{"name": "c", "image": "i"}]}}
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "j"}, "spec": {"template": template}}
    assert (await ask("POST", JOBS, job))[0] == 201
    _, held = await ask("DELETE", f"{JOBS}/j")
    assert held["metadata"]["finalizers"] == ["orphan"]
    assert "child pods are preserved by default" in ask.headers["warning"][0]
    await ask.gone(f"{JOBS}/j")


async def test_only_a_delete_sets_the_time_of_deletion(ask):
    await ask("POST", CONFIGMAPS, configmap("a"))
    body = configmap("a", deletionTimestamp="2026-01-01T00:00:00Z")
    status, answer = await ask("PUT", f"{CONFIGMAPS}/a", body)
    assert status == 422
    assert answer["details"]["causes"][0]["field"] == "metadata.deletionTimestamp"


async def test_of_a_name_that_no_header_can_hold_nobody_is_warned(ask):
    status, _ = await ask("POST", CONFIGMAPS, {**configmap("w"), "a\nb": 1, "plain": 1})
    assert (status, ask.headers["warning"]) == (201, ['299 - "unknown field \\"plain\\""'])


@pytest.mark.parametrize(("count", "told"), [(10, 45), (14, 48), (2000, 48)])
async def test_of_many_warnings_the_first_are_told(ask, count, told):
    """The numbers are kube-apiserver's."""
    container = {"name": "c", "image": "i", "ports": [{"containerPort": 80}] * count}
    pod = {"metadata": {"name": "p"}, "spec": {"containers": [container]}}
    assert (await ask("POST", "/api/v1/namespaces/default/pods", pod))[0] == 201
    assert len(ask.headers["warning"]) == told


async def test_where_there_are_many_each_is_cut(ask):
    twice = [{"name": f"{length * 'e'}", "value": "1"} for length in (300, 301, *range(1, 60))] * 2
    pod = {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "i", "env": twice}]}}
    assert (await ask("POST", "/api/v1/namespaces/default/pods", pod))[0] == 201
    texts = [text.replace("\\", "")[7:-1] for text in ask.headers["warning"]]
    assert len(texts[0]) == 256
    assert 4096 - 256 < sum(map(len, texts)) < 4096 + 256

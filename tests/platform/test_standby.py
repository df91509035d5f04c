"""A controller that does not lead yet has its caches ready."""

from lambent import resources
from lambent.kube.fake import FakeKube
from lambent.kube.informer import InformerHub
from lambent.platform.standby import WATCHED, warm
from lambent.workflow.crds import crds


async def test_what_the_controllers_read_first_is_synced_before_the_term_and_listed_once() -> None:
    kube = FakeKube(crds=[*crds(), *resources.crds()])
    async with InformerHub(kube) as hub, warm(hub):
        for gvk in WATCHED:
            async with hub.use(gvk) as informer:
                await informer.synced.wait()
    listed = [call.gvk for call in kube.calls if call.verb == "list" and call.gvk in WATCHED]
    assert sorted(listed) == sorted(WATCHED)

"""A controller that does not lead yet has its caches ready."""

from dataclasses import replace
from pathlib import Path

from lambent import resources
from lambent.kube.fake import FakeKube
from lambent.kube.informer import InformerHub
from lambent.platform.controller import ControllerDaemon
from lambent.platform.standby import WATCHED, warm
from lambent.settings import Settings
from lambent.workflow.crds import crds


async def test_what_the_controllers_read_first_is_synced_before_the_term_and_listed_once() -> None:
    kube = FakeKube(crds=[*crds(), *resources.crds()])
    async with InformerHub(kube) as hub, warm(hub):
        for gvk in WATCHED:
            async with hub.use(gvk) as informer:
                await informer.synced.wait()
    listed = [call.gvk for call in kube.calls if call.verb == "list" and call.gvk in WATCHED]
    assert sorted(listed) == sorted(WATCHED)


async def test_a_controller_is_unready_until_it_knows_who_leads(tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.write_text(
        '{"current-context": "c", "contexts": [{"name": "c", "context": {"cluster": "k"}}],'
        ' "clusters": [{"name": "k", "cluster": {"server": "http://127.0.0.1:1"}}]}'
    )
    settings = Settings()
    admin, controllers = replace(settings.admin, port=0), replace(settings.controllers, leader_election=True)
    daemon = ControllerDaemon(replace(settings, kubeconfig=str(config), admin=admin, controllers=controllers))
    await daemon.startup()
    assert daemon._health.unready() == ["leader"]
    await daemon.shutdown()

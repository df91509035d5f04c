"""A process that leads when it can and, while it does, writes its name and term into one object, as fast as it can.

Arguments: kubeconfig, name of the candidate. Started by test_leader_processes.
"""

import asyncio
import sys
from typing import cast

from lambent.kube.errors import KubeError
from lambent.kube.fencing import FencedClient
from lambent.kube.http_client import HttpClient
from lambent.kube.kubeconfig import load
from lambent.kube.leader import LeaderElector, LeadershipLost, LeaseTimes, Term
from lambent.kube.types import GVK, KubeObject

LEDGER = GVK("", "v1", "ConfigMap")
TIMES = LeaseTimes(duration_s=2, renew_deadline_s=1.2, retry_s=0.3)


async def write_forever(client: FencedClient, name: str) -> None:
    while True:
        try:
            ledger = await client.get(LEDGER, "ledger", namespace="default")
            data = {"holder": name, "term": str(client.term.number)}
            await client.replace(cast(KubeObject, {**ledger, "data": data}))
        except (KubeError, LeadershipLost):
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.005)


async def main(kubeconfig: str, name: str) -> None:
    async with HttpClient(load(kubeconfig), component="candidate") as client:

        async def lead(term: Term) -> None:
            await write_forever(FencedClient(client, term), name)

        await LeaderElector(client, "ledger", "default", name, times=TIMES).run(lead)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))

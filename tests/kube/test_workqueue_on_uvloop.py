"""The queue on the loop that production runs on, which is not the one of the other tests."""

import pytest

from lambent.kube.types import Key
from lambent.kube.workqueue import WorkQueue

uvloop = pytest.importorskip("uvloop", reason="uvloop is not installed: its timers are not tested")


def test_a_key_is_taken_while_a_deadline_that_has_come_is_pending():
    async def add() -> Key:
        queue = WorkQueue("test")
        queue.add_after(Key("n", "due"), 0.0)
        queue.add_after(Key("n", "later"), 1e-9)
        queue.add(Key("n", "now"))
        return await queue.get()

    loop = uvloop.new_event_loop()
    try:
        assert loop.run_until_complete(add()).namespace == "n"
    finally:
        loop.close()

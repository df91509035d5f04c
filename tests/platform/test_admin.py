"""Health answers name what is not ready."""

from lambent.platform.admin import Health


def test_readiness_names_what_is_missing() -> None:
    health = Health()
    health.add("informers", lambda: False)
    health.add("leader", lambda: True)
    answer = health.answer(b"readyz")
    assert (answer.status, answer.body) == (503, b"waiting for informers\n")
    assert health.answer(b"healthz").status == 200


def test_what_a_process_tells_of_itself_stands_below_each_answer() -> None:
    health = Health()
    health.tell(lambda: "leads shards: 1 of 2")
    assert health.answer(b"healthz").body == health.answer(b"readyz").body == b"ok\nleads shards: 1 of 2\n"
    health.add("leader", lambda: False)
    assert health.answer(b"readyz").body == b"waiting for leader\nleads shards: 1 of 2\n"


def test_metrics_are_prometheus_text() -> None:
    assert b"# HELP" in bytes(Health().answer(b"metrics").body)  # type: ignore[arg-type]  # never a stream

"""Health answers name what is not ready."""

from lambent.platform.admin import Health


def test_readiness_names_what_is_missing() -> None:
    health = Health()
    health.add("informers", lambda: False)
    health.add("leader", lambda: True)
    answer = health.answer(b"readyz")
    assert (answer.status, answer.body) == (503, b"waiting for informers\n")
    assert health.answer(b"healthz").status == 200


def test_metrics_are_prometheus_text() -> None:
    assert b"# HELP" in bytes(Health().answer(b"metrics").body)  # type: ignore[arg-type]  # never a stream

"""Log lines carry the fields of the work they belong to."""

import io
import logging
from collections.abc import Iterator

import orjson
import pytest

from lambent.telemetry import configure_logging, counter, log_context, render_metrics


@pytest.fixture(autouse=True)
def restored_root_logger() -> Iterator[None]:
    root = logging.getLogger()
    before = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = before


def test_a_json_line_has_the_fields_of_its_context_and_its_own() -> None:
    stream = io.StringIO()
    configure_logging("INFO", stream=stream)
    with log_context(reconcile_id="a1b2c3d4"):
        logging.getLogger("x").info("reconciled", extra={"outcome": "done"})
    logging.getLogger("x").info("outside")
    inside, outside = (orjson.loads(line) for line in stream.getvalue().splitlines())
    assert (inside["message"], inside["reconcile_id"], inside["outcome"]) == ("reconciled", "a1b2c3d4", "done")
    assert "reconcile_id" not in outside


def test_a_plain_line_reads_from_left_to_right() -> None:
    stream = io.StringIO()
    configure_logging("INFO", structured=False, stream=stream)
    logging.getLogger("lambent.kube").warning("slow", extra={"duration_ms": 12})
    assert stream.getvalue().endswith("warning lambent.kube: slow duration_ms=12\n")


def test_metrics_are_rendered_with_the_prefix() -> None:
    counter("test_rendering_total", "A counter of this test.").inc()
    assert b"lambent_test_rendering_total 1.0" in render_metrics()

"""Lines, tails and platform lines."""

import pytest

from lambent.runtime.logs import TAIL_BYTES, InstanceLog, LineSplitter, LogTail
from lambent.runtime.reports import Report


@pytest.mark.parametrize(
    ("pieces", "lines", "rest"),
    [
        ([b"a\nb\n"], [b"a\nb\n"], b""),
        ([b"a", b"b\nc"], [b"", b"ab\n"], b"c\n"),
        ([b"", b"\n"], [b"", b"\n"], b""),
        ([b"x" * 300_000], [b"x" * 262_144 + b"\n"], b"x" * 37_856 + b"\n"),
    ],
    ids=["whole", "split", "empty", "endless"],
)
def test_pieces_become_lines(pieces, lines, rest):
    splitter = LineSplitter()
    assert [splitter.feed(piece) for piece in pieces] == lines
    assert splitter.flush() == rest


def test_a_tail_keeps_the_last_bytes():
    tail = LogTail()
    for number in range(2_000):
        tail.add(b"%06d\n" % number)
    assert len(tail.bytes()) == TAIL_BYTES
    assert tail.bytes().endswith(b"001998\n001999\n")


def test_lines_go_to_the_sink_with_the_functions_name():
    seen = []
    log = InstanceLog("demo", lambda function, lines: seen.append((function, lines)))
    log.output("stdout", b"one\ntw")
    log.output("stderr", b"err\n")
    log.output("stdout", b"o\n")
    log.output("stdout", b"rest")
    log.flush()
    assert seen == [("demo", b"one\n"), ("demo", b"err\n"), ("demo", b"two\n"), ("demo", b"rest\n")]


@pytest.mark.parametrize(
    ("changes", "end"),
    [
        ({}, b"Duration: 1.23 ms\tBilled Duration: 2 ms\tMemory Size: 128 MB\tMax Memory Used: 36 MB\t\n"),
        ({"init_s": 0.10012}, b"\tMemory Size: 128 MB\tMax Memory Used: 36 MB\tInit Duration: 100.12 ms\t\n"),
        ({"status": "timeout"}, b"Max Memory Used: 36 MB\tStatus: timeout\t\n"),
        ({"status": "error", "error_type": "Runtime.ExitError"}, b"Status: error\tError Type: Runtime.ExitError\t\n"),
    ],
    ids=["warm", "cold", "timeout", "error"],
)  # fmt: skip
def test_a_report_is_written_as_lambda_writes_it(changes, end):
    report = Report("id", 0.00123, 128, 36 * 2**20 - 5, **changes)
    assert report.line().startswith(b"REPORT RequestId: id\tDuration: 1.23 ms\t")
    assert report.line().endswith(end)


async def test_lines_between_start_and_end_belong_to_the_event(bench):
    async def talks(runtime):
        runtime.say("loading\n")
        while True:
            event = await runtime.next()
            runtime.say(f"working on {event.payload.decode()}\n")
            runtime.respond(event.request_id, b"1")
            runtime.say("after\n", "stderr")

    async with bench(talks) as it:
        tails = [(await it.invoke(b"%d" % number, wants_log_tail=True)).log_tail for number in range(2)]
    assert [tail.split(b"\n")[1] for tail in tails] == [b"working on 0", b"working on 1"]
    assert it.text.startswith("loading\nSTART RequestId: id-1 Version: $LATEST\nworking on 0\nEND RequestId: id-1\n")


async def test_no_tail_is_kept_for_those_who_do_not_ask(bench):
    async with bench() as it:
        assert (await it.invoke()).log_tail == b""


async def test_platform_lines_can_be_switched_off(bench):
    async with bench(print_reports=False) as it:
        assert (await it.invoke(wants_log_tail=True)).log_tail == b""
    assert it.text == ""


def test_a_sink_that_cannot_write_costs_lines_only(caplog):
    def full(function: str, lines: bytes) -> None:
        raise OSError(28, "No space left on device")

    log = InstanceLog("demo", full)
    log.tail = LogTail()
    for _ in range(3):
        log.output("stdout", b"line\n")
    assert log.tail.bytes() == b"line\n" * 3
    assert [record.message for record in caplog.records] == ["output of a function is lost: No space left on device"]

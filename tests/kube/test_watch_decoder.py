"""The watch stream: any split gives the same events, nothing is skipped in silence."""

import orjson
import pytest

from lambent.kube.errors import Gone, ServerError
from lambent.kube.watch import WatchDecoder, error_of


def line(type_, version, name="ä"):
    obj = {"kind": "Gizmo", "apiVersion": "example.org/v1", "metadata": {"name": name, "resourceVersion": version}}
    return orjson.dumps({"type": type_, "object": obj}) + b"\n"


STREAM = line("ADDED", "1") + line("MODIFIED", "2") + b"\n" + line("DELETED", "7") + line("BOOKMARK", "9")


def test_a_stream_split_at_any_byte_gives_the_same_events():
    for cut in range(len(STREAM) + 1):
        decoder = WatchDecoder()
        events = decoder.feed(STREAM[:cut]) + decoder.feed(STREAM[cut:])
        assert [event.type for event in events] == ["ADDED", "MODIFIED", "DELETED", "BOOKMARK"], cut
        assert decoder.resource_version == "9"


def test_byte_by_byte_gives_the_same_events():
    decoder = WatchDecoder()
    events = [event for index in range(len(STREAM)) for event in decoder.feed(STREAM[index : index + 1])]
    decoder.finish()
    assert [event.object["metadata"]["resourceVersion"] for event in events] == ["1", "2", "7", "9"]


@pytest.mark.parametrize(
    "data",
    [
        b"{]\n",
        b"[]\n",
        b'{"type":"ADDED"}\n',
        b'{"type":"NEWS","object":{"metadata":{"resourceVersion":"1"}}}\n',
        b'{"type":"ADDED","object":{}}\n',
    ],
    ids=["no-json", "no-event", "no-object", "unknown-type", "no-version"],
)
def test_a_line_that_is_no_known_event_is_an_error_of_the_stream(data):
    with pytest.raises(ServerError):
        WatchDecoder().feed(data)


def test_an_end_inside_an_event_is_an_error():
    decoder = WatchDecoder()
    decoder.feed(STREAM[:20])
    with pytest.raises(ServerError):
        decoder.finish()


def test_an_error_event_of_410_is_gone():
    status = {"kind": "Status", "code": 410, "reason": "Expired", "message": "too old"}
    (event,) = WatchDecoder("5").feed(orjson.dumps({"type": "ERROR", "object": status}) + b"\n")
    assert isinstance(error_of(event, "watch Gizmo"), Gone)

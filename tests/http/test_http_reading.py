"""The reader: how bytes are cut into pieces never matters."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambent.http import Limits, Request
from lambent.http.reading import Exchange, RequestReader

TOKEN = st.text("abcXYZ019-_", min_size=1, max_size=12).map(str.encode)
BODY = st.binary(max_size=40)


@st.composite
def _requests(draw):
    one = st.tuples(st.sampled_from([b"POST", b"PUT", b"DELETE"]), TOKEN, BODY, st.booleans())
    return draw(st.lists(one, min_size=1, max_size=5))


def _on_the_wire(method: bytes, path: bytes, body: bytes, is_chunked: bool) -> bytes:
    head = b"%b /%b?q=%%2F HTTP/1.1\r\nHost: h\r\nX-Name: %b\r\n" % (method, path, path)
    if not is_chunked:
        return head + b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
    halves = [part for part in (body[:7], body[7:]) if part]
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in halves)
    return head + b"Transfer-Encoding: chunked\r\n\r\n%b0\r\n\r\n" % chunks


def _read(wire: bytes, cuts: list[int]) -> list[Exchange]:
    reader = RequestReader(Limits())
    edges = [0, *sorted(cut % (len(wire) + 1) for cut in cuts), len(wire)]
    return [done for start, end in pairwise(edges) for done in reader.feed(wire[start:end])]


@settings(deadline=None, max_examples=60)
@given(_requests(), st.lists(st.integers(0, 2000), max_size=12))
def test_requests_are_the_same_however_they_arrive(requests, cuts):
    wire = b"".join(_on_the_wire(*request) for request in requests)
    read = _read(wire, cuts)
    assert [(e.request.method.encode(), e.request.target, e.request.body) for e in read] == [
        (method, b"/%b?q=%%2F" % path, body) for method, path, body, _ in requests
    ]
    assert all(e.request.header(b"x-name") == request[1] for e, request in zip(read, requests, strict=True))
    assert not any(e.refusal for e in read)


@settings(deadline=None, max_examples=60)
@given(st.binary(max_size=300), st.lists(st.integers(0, 400), max_size=6))
def test_no_bytes_make_the_reader_fail(noise, cuts):
    for exchange in _read(b"GET / HTTP/1.1\r\n" + noise, cuts):
        assert isinstance(exchange.request, Request)


@pytest.mark.parametrize("prefix", [b"", b"GET /ok HTTP/1.1\r\n\r\n"])
def test_after_a_refusal_nothing_more_is_read(prefix):
    reader = RequestReader(Limits())
    first = reader.feed(prefix + b"\x00\r\n\r\n")
    assert first[-1].refusal == 400
    assert reader.feed(b"GET / HTTP/1.1\r\n\r\n") == []

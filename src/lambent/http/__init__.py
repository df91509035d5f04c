"""Raw asyncio HTTP/1.1 for every port of lambent, and WSGI apps as services on it. It knows no route of its own."""

from lambent.http.limits import BodyLimit, Limits, refuse_plainly
from lambent.http.message import Headers, Pushing, Request, Response, Service, Shared, content_type
from lambent.http.server import HttpServer
from lambent.http.wsgi import WsgiService

__all__ = [
    "BodyLimit",
    "Headers",
    "HttpServer",
    "Limits",
    "Pushing",
    "Request",
    "Response",
    "Service",
    "Shared",
    "WsgiService",
    "content_type",
    "refuse_plainly",
]

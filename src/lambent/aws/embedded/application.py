"""moto as one WSGI app, with our rules around it.

Per request: the credential scope gives service, region and account; Lambda is refused (it is ours and never moto's);
S3 is corrected (`s3_answers`); the rest goes to moto, which is told the account by a header of its own. Importing moto
takes 0.3 s, so `startup` does it in a thread; a service's routes are built at its first request.
Requests are answered one at a time (`turn`). Not here: threads and queues (whoever serves the app bounds them).
"""

import asyncio
import io
import logging
import os
from collections.abc import Iterable
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from typing import Any

from lambent.aws.embedded import s3_answers
from lambent.aws.embedded.accounts import Accounts, issued_by_moto
from lambent.aws.embedded.lookups import remember_roles
from lambent.aws.embedded.saving import Saver
from lambent.aws.embedded.snapshot import Snapshot
from lambent.aws.embedded.turn import give_up_during, turn
from lambent.aws.embedded.wsgi import Answer, App, Environ, StartResponse, ask, raw_target
from lambent.aws.isolation import forget_profiles
from lambent.aws.sigv4 import CredentialScope, credential_scope

log = logging.getLogger(__name__)

_ACCOUNT_HEADER = "HTTP_X_MOTO_ACCOUNT_ID"
_SAFE_METHODS = frozenset(("GET", "HEAD", "OPTIONS"))
# Their requests may wait for long, and nothing of them is saved.
_LONG_POLLS = frozenset(("sqs", "swf"))
_HOSTS_REMEMBERED = 1024  # a bucket's name may be part of one
_LAMBDA_REFUSAL = b'{"message":"Lambda is not served by the embedded AWS but by lambent itself"}'


class EmbeddedAws:
    """A WSGI app: `embedded(environ, start_response)`; `startup` must have ended before the first request.

    `changes` counts requests that may have changed state. With a `directory` the state of some services
    (`snapshot.SAVED`) is there after a restart; without one everything is forgotten.
    """

    def __init__(self, accounts: Accounts | None = None, *, directory: Path | None = None) -> None:
        self.accounts = accounts or Accounts()
        self.changes = 0
        self._moto: App | None = None
        self._directory = directory
        self._saver: Saver | None = None
        self._saving: asyncio.Task[None] | None = None

    async def startup(self) -> None:
        """Loads moto and the saved state, and begins to save."""
        if self._moto is not None:
            return
        self._moto = await asyncio.to_thread(_load_moto)
        if self._directory is not None:
            snapshot = await asyncio.to_thread(Snapshot, self._directory)
            await asyncio.to_thread(snapshot.restore)
            self._saver = Saver(snapshot, lambda: self.changes)
            self._saving = asyncio.create_task(self._saver.serve())

    async def shutdown(self) -> None:
        """Saves a last time; no request may come in any more."""
        if self._saving is not None:
            self._saving.cancel()
            await asyncio.gather(self._saving, return_exceptions=True)
        if self._saver is not None and not await self._saver.save():
            log.error("the last changes of the embedded AWS are lost")

    async def reset(self) -> None:
        """Forgets everything, in all accounts and regions."""
        await asyncio.to_thread(_reset_moto)
        self.changes += 1

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if self._moto is None:
            raise RuntimeError("the embedded AWS has not been started")
        path, query = raw_target(environ)
        scope = credential_scope(str(environ.get("HTTP_AUTHORIZATION", "")).encode("latin-1"), query.encode("latin-1"))
        service = scope.service if scope else ""
        if service == "lambda":
            return Answer("404 Not Found", _UNKNOWN_OPERATION, _LAMBDA_REFUSAL).give(start_response)
        _keep_header_names(environ)
        is_safe = environ["REQUEST_METHOD"] in _SAFE_METHODS or service in _LONG_POLLS
        with turn():
            environ[_ACCOUNT_HEADER] = self._account(scope)
            # Counted within the turn: what is counted is then in every copy that follows.
            self.changes += not is_safe
            return self._answer(environ, start_response, service, path, query)

    def _answer(
        self, environ: Environ, start_response: StartResponse, service: str, path: str, query: str
    ) -> Iterable[bytes]:
        assert self._moto is not None  # __call__ checked
        if service == "s3" or (not service and environ["REQUEST_METHOD"] in _SAFE_METHODS):
            corrected = self._correct_s3(environ, path, query)
            if corrected is not None:
                return corrected.give(start_response)
        return self._moto(environ, start_response)

    def _account(self, scope: CredentialScope | None) -> str:
        if scope is None:
            return self.accounts.default
        return self.accounts.of_key(scope.access_key, issued_by_moto)

    def _correct_s3(self, environ: Environ, path: str, query: str) -> Answer | None:
        moto = self._moto
        assert moto is not None  # __call__ checked

        def ask_moto(method: str, asked: str) -> Answer:
            inner: dict[str, Any] = environ | {
                "REQUEST_METHOD": method,
                "QUERY_STRING": asked,
                "RAW_URI": f"{path}?{asked}" if asked else path,
                "REQUEST_URI": f"{path}?{asked}" if asked else path,
                "CONTENT_LENGTH": "0",
                "wsgi.input": io.BytesIO(),
            }
            return ask(moto, inner)

        request = s3_answers.S3Request.of(environ["REQUEST_METHOD"], path, query)
        return s3_answers.answer(request, ask_moto)


def may_wait(authorization: bytes, raw_query: bytes = b"") -> bool:
    """Whether the embedded AWS may keep such a request waiting for seconds: it wants a thread of its own."""
    scope = credential_scope(authorization, raw_query)
    return scope is not None and scope.service in _LONG_POLLS


_UNKNOWN_OPERATION = [("Content-Type", "application/json"), ("X-Amzn-ErrorType", "UnknownOperationException")]


def _load_moto() -> App:
    forget_profiles()
    # It would decide the account before our header does.
    os.environ.pop("MOTO_ACCOUNT_ID", None)
    import moto.iam.models  # at once, since the keys it issues decide accounts
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

    def create(service: Any) -> Any:
        app = create_backend_app(service)
        _let_others_in(service)
        return app

    remember_roles(moto.iam.models.IAMBackend)
    app: Any = DomainDispatcherApplication(create)
    _remember_what_never_changes(app)
    known: App = app
    return known


def _remember_what_never_changes(app: Any) -> None:
    """What moto finds out anew for each request, a third of its time: the modules in its directory, the service of a
    host, the methods of a class."""
    from moto import backends

    responses: Any = import_module("moto.core.responses")
    modules = tuple(backends.list_of_moto_modules())
    backends.list_of_moto_modules = lambda: modules
    app.get_backend_for_host = lru_cache(_HOSTS_REMEMBERED)(app.get_backend_for_host)
    if not hasattr(responses.method_names_from_class, "cache_info"):
        responses.method_names_from_class = lru_cache(None)(responses.method_names_from_class)


def _let_others_in(service: str) -> None:
    """The calls of a service that wait; its modules are loaded by now."""
    if service == "sqs":
        from moto.sqs.models import Queue

        give_up_during(Queue, "wait_for_messages")
    elif service == "swf":
        import moto.swf.models

        give_up_during(moto.swf.models, "sleep")


def _reset_moto() -> None:
    from moto.moto_api._internal.models import moto_api_backend

    with turn():
        moto_api_backend.reset()


def _keep_header_names(environ: Environ) -> None:
    """WSGI cannot tell `x-amz-meta-a_b` from `x-amz-meta-a-b`; moto reads the spelling from an entry of its own."""
    names = [name.decode("latin-1") for name, _ in environ.get("lambent.headers", ())]
    spelt = {f"HTTP_{n.upper().replace('-', '_')}": n for n in names if "_" in n and n.startswith("x-amz-meta-")}
    if spelt:
        environ["moto.preserved_header_names"] = spelt

"""One call of a program through a connection: the caller, the person, and its line in the log."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from django.conf import settings

from connections.calls.call_preparation import CallPreparation
from connections.calls.lookup import Caller
from connections.calls.prepared_call import PreparedCall
from connections.calls.proxy_request import loop_token
from connectors.http.bulkhead import ConcurrencyLimit, bulkhead
from console.accounts.models import User
from console.batched_check import BatchedCheck
from console.choices import Environment
from console.invocations.call_line import HOST_LENGTH, CallContext
from console.invocations.log_writer import note
from console.keys import authentication, last_used, user_tokens
from console.keys.authentication import (
    VALID_SECONDS,
    KeyHolder,
    authenticate_key,
    cached_holder,
    key_of,
)
from console.keys.user_tokens import cached_user, user_token_of, verify_token
from console.monitoring.request_ids import begin
from console.runtime.asgi_request import Message, Receive, Send, environ_of
from console.runtime.concurrency_limits import proxied_call_limits
from console.runtime.problem_details import Problem
from console.worker_threads import WorkerThreads


class CallThreads:
    """The threads that calls of one event loop share for what blocks."""

    def __init__(self, reads: WorkerThreads, renewals: WorkerThreads) -> None:
        self.reads = reads
        self.preparation = CallPreparation(reads, renewals)
        self._keys = BatchedCheck(reads, authentication.keep_valid)
        self._users = BatchedCheck(reads, user_tokens.keep_valid)

    async def holder(self, raw: str, environ: Mapping[str, Any] | None = None) -> KeyHolder:
        """Return the holder of a key, as :func:`authenticate_key` does."""
        holder, seconds = cached_holder(raw)
        if holder is not None and seconds <= 0:
            await self._keys.keep(raw)
            holder, seconds = cached_holder(raw)
        elif holder is not None and seconds < VALID_SECONDS / 2:
            self._keys.keep_soon(raw)
        if holder is None or seconds <= 0:
            holder = await self.reads.run_once(("key", raw), authenticate_key, raw, environ)
        return holder

    async def user(self, token: str, holder: KeyHolder) -> User:
        """Return the person that a token identifies, as :func:`verify_token` does."""
        caller = token, holder
        user, seconds = cached_user(*caller)
        if user is not None and seconds <= 0:
            await self._users.keep(caller)
            user, seconds = cached_user(*caller)
        elif user is not None and seconds < VALID_SECONDS / 2:
            self._users.keep_soon(caller)
        if user is None or seconds <= 0:
            user = await self.reads.run_once(("user", *caller), verify_token, *caller)
        return user


class ProxyCall:
    """A call from authentication to its line in the call log.

    Holds its permits until :meth:`release`.
    """

    def __init__(
        self,
        threads: CallThreads,
        scope: Message,
        receive: Receive,
        send: Send,
        *,
        link_name: str,
        path: str,
    ) -> None:
        self.threads, self.scope, self.receive, self.send = threads, scope, receive, send
        self.environ = environ_of(scope)
        self.link_name, self.path = link_name, path
        self.request_id = begin(self.environ)
        self.method: str = self.environ["REQUEST_METHOD"]
        self.refreshed = False
        self._started = time.perf_counter()
        self._holder: KeyHolder | None = None
        self._caller: Caller | None = None
        self._prepared: PreparedCall | None = None
        self._limits: tuple[ConcurrencyLimit, ...] = ()

    async def prepare(self) -> PreparedCall:
        """Return the prepared call of the program and the person that the request names.

        Raise ``AuthenticationFailed``, ``CallRefused``, ``ServiceError`` or :class:`Problem`.
        """
        reads, raw = self.threads.reads, key_of(self.environ)
        self._holder = holder = await self.threads.holder(raw, self.environ)
        limits = proxied_call_limits(holder)
        bulkhead.enter(*limits)
        self._limits = limits
        user = await self._user(holder)
        if last_used.is_waiting():
            await reads.run_once("last used", last_used.write)
        self._caller = Caller(
            application=holder.application_id,
            organization=holder.organization_id,
            environment=Environment(holder.environment),
            user=user.pk if user else None,
        )
        if loop_token() in self.environ.get("HTTP_CDN_LOOP", ""):
            raise Problem("loop")
        self._prepared = await self.threads.preparation.call(self._caller, self.link_name)
        return self._prepared

    @property
    def proxy_url(self) -> str:
        """Return the URL of the service's API on this console."""
        return f"{settings.PUBLIC_URL}/api/v1/connections/{self.link_name}/proxy"

    def release(self) -> None:
        """Free the permits of the call."""
        bulkhead.leave(*self._limits)
        self._limits = ()

    def log(self, *, status: int, received: int, sent: int, problem: str = "") -> None:
        """Write a line to the call log, unless the caller is unknown."""
        if self._holder is None or self._caller is None:
            return
        prepared = self._prepared
        context = CallContext(
            organization_id=self._holder.organization_id,
            application_id=self._holder.application_id,
            connection_id=prepared.state.connection if prepared else None,
            environment=self._holder.environment,
            user_id=self._caller.user,
            key_prefix=self._holder.prefix,
            host=prepared.host[:HOST_LENGTH] if prepared else "",
            connector=prepared.connector.slug if prepared else "",
        )
        note(
            context,
            method=self.method,
            path=f"{prepared.base_path if prepared else ''}{self.path}" or "/",
            status=status,
            problem=problem,
            milliseconds=round((time.perf_counter() - self._started) * 1000),
            bytes_in=received,
            bytes_out=sent,
            refreshed=self.refreshed,
        )

    async def _user(self, holder: KeyHolder) -> User | None:
        token = user_token_of(self.environ)
        return await self.threads.user(token, holder) if token else None

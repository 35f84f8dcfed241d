"""Begin and complete an authorization (RFC 6749 section 4.1; RFC 9700).

The flow is finished here, on the server: pages only look at its row. No transaction is
open while a service is asked for something.
"""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Mapping, Sequence
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.http import QueryDict
from django.utils import timezone

from connections.authorizations.authorization_response import (
    CallbackRefused,
    error_response_message,
    issuer_mismatch_message,
    repeated_parameters,
    repeated_parameters_error,
    unknown_flow_error,
)
from connections.authorizations.credential_erasure import revoke_late_tokens
from connections.authorizations.granting import (
    Grant,
    build_credential,
    not_installed_message,
    seconds_from_now,
    store_grant,
)
from connections.models import Flow, InstalledConnection, OAuthClient
from connections.models.authorization_site import AuthorizationSite
from connections.models.flow import FLOW_LIFETIME, digest
from connectors.api.check_call import check
from connectors.definitions.templates import fill
from connectors.errors import ServiceError
from connectors.oauth2 import authorization_code
from console.accounts.authority import NotAllowed
from console.accounts.models import User
from console.choices import Environment

#: Unfinished flows that one person may have; the oldest goes first (allauth keeps ten too).
MAX_OPEN_FLOWS = 10


class NoOAuthClient(Exception):
    """Nobody has registered this console with the service yet."""


def begin(
    site: AuthorizationSite,
    user: User,
    environments: Sequence[str],
    *,
    browser: str,
    flow_id: uuid.UUID | None = None,
) -> str:
    """Open a flow and return the address of the service's own page.

    ``browser`` is a random token that stands in the person's session. ``flow_id`` lets
    the page that opened the popup look for the outcome; begun again under the same id,
    the earlier attempt ends.
    """
    client = _client_for(site, environments)
    connector, parameters = site.connector, dict(site.snapshot.parameters)
    scopes = site.scopes_to_ask(environments)
    state = secrets.token_urlsafe(32)
    verifier = authorization_code.new_verifier() if connector.oauth2.pkce else None
    url = authorization_code.authorization_url(
        connector,
        client_id=client.client_id,
        redirect_uri=client.redirect_uri,
        scopes=scopes,
        state=state,
        code_verifier=verifier,
        values=parameters,
    )
    flow = Flow(
        id=_make_room(user, flow_id),
        state_hash=digest(state),
        browser_hash=digest(browser),
        code_verifier=verifier,
        user=user,
        connection=site.connection,
        organization=site.organization,
        environments=list(environments),
        client=client,
        redirect_uri=client.redirect_uri,
        parameters=parameters,
        scopes_asked=list(scopes),
        expires_at=timezone.now() + FLOW_LIFETIME,
    )
    try:
        with transaction.atomic():
            flow.save(force_insert=True)
    except IntegrityError:  # the same form was sent twice at once
        flow.id = uuid.uuid4()
        flow.code_verifier = verifier  # sealed anew, for the row of this id
        flow.save(force_insert=True)
    return url


def _client_for(site: AuthorizationSite, environments: Sequence[str]) -> OAuthClient:
    """Return the one OAuth client that serves all of these environments."""
    clients = {site.oauth_clients(e).first() for e in environments}
    if None in clients:
        raise NoOAuthClient
    if len(clients) > 1:
        raise ServiceError(
            f"This console is registered with {site.connector.name} once for each of "
            "these environments. Authorize them one after the other."
        )
    return clients.pop()  # type: ignore[return-value]


def complete(query: QueryDict, *, reference: str, user: User, browser: str) -> Flow:
    """Finish the flow that a callback belongs to and return it, completed or failed.

    Raise :class:`CallbackRefused` where the callback is not this person's and browser's
    own. A callback that comes twice asks for tokens once.
    """
    flow = _flow_of(query, reference=reference, user=user, browser=browser)
    if not flow.is_waiting:
        return flow
    if flow.is_expired:
        return _fail(flow, "This took longer than ten minutes, so it was stopped.")
    claimed = Flow.objects.filter(pk=flow.pk, outcome=Flow.Outcome.OPEN).update(
        outcome=Flow.Outcome.EXCHANGING
    )
    if not claimed:
        flow.refresh_from_db()
        return flow
    site = AuthorizationSite.of_flow(flow, user)
    if site is None:
        return _fail(flow, _why_not_any_more(flow))
    try:
        grant = _exchange(flow, query)
    except ServiceError as error:
        return _fail(flow, str(error))
    try:
        _, others = store_grant(site, user, flow.environments, grant, flow=flow)
    except (ServiceError, NotAllowed) as error:
        became = revoke_late_tokens(build_credential(site, user, grant))
        return _fail(flow, f"{error} {became}".rstrip())
    problem = f"It replaces {' and '.join(others)}." if others else ""
    if grant.account is None:
        problem = "The account could not be looked up; press Test to try again."
    return _end(flow, Flow.Outcome.COMPLETED, problem)


def _flow_of(query: QueryDict, *, reference: str, user: User, browser: str) -> Flow:
    """Find the flow by its state and compare whom and what it is bound to."""
    if "state" in repeated_parameters(query):
        raise repeated_parameters_error(["state"])
    state = query.get("state", "")
    flow = (
        Flow.objects.select_related("connection__application", "client", "user")
        .filter(state_hash=digest(state))
        .first()
        if state
        else None
    )
    if flow is None:
        raise unknown_flow_error(query)
    if flow.client.reference != reference:
        _fail_if_open(flow, "The answer came to the address of another service.")
        raise CallbackRefused(
            "This answer came to the address of another service. Nothing was changed.", status=400
        )
    if flow.user_id != user.pk or not secrets.compare_digest(flow.browser_hash, digest(browser)):
        _fail_if_open(
            flow,
            "Somebody else, or another browser, came back from the service. Finish it in the "
            "browser in which you begin.",
        )
        raise CallbackRefused(
            "Another person or another browser began this authorization, so it cannot be "
            "finished here. Nothing was changed. Open the connection and press Authorize.",
            status=403,
        )
    if names := repeated_parameters(query, flow.connection.connector):
        refused = repeated_parameters_error(names)
        _fail_if_open(flow, str(refused))
        raise refused
    return flow


def _why_not_any_more(flow: Flow) -> str:
    """Say why somebody may not finish what he may have begun."""
    installed = InstalledConnection.objects.live().filter(
        connection=flow.connection_id, organization=flow.organization_id
    )
    if Environment.PRODUCTION in flow.environments and not installed.exists():
        return not_installed_message(flow.connection)
    return "You may not authorize this connection any more. Ask a super admin."


def _exchange(flow: Flow, query: Mapping[str, str]) -> Grant:
    """Turn the callback into a grant; raise :class:`ServiceError` in words for a person."""
    connector = flow.connection.connector
    _compare_issuer(flow, query)
    if "error" in query or not query.get("code"):
        raise ServiceError(error_response_message(connector.name, query, flow.scopes_asked))
    kept = authorization_code.kept_from_callback(connector, query, flow.parameters)
    answer = authorization_code.exchange(
        connector,
        client=flow.client.credentials,
        code=query["code"],
        redirect_uri=flow.redirect_uri,
        code_verifier=flow.code_verifier.reveal() if flow.code_verifier else None,
        values={**flow.parameters, **kept},
    )
    kept = {**kept, **answer.kept}
    secret = {"access_token": answer.access_token, "refresh_token": answer.refresh_token}
    try:
        known = {**flow.parameters, **kept, "client_id": flow.client.client_id}
        account = check(connector, "oauth2", secret=secret, values=known)
    except ServiceError:
        account = None  # the grant is good; the check can be repeated from the details page
    expires_at = seconds_from_now(answer.expires_in)
    return Grant(
        secret=secret,
        account=account,
        parameters=flow.parameters,
        kept=kept,
        scopes_asked=flow.scopes_asked,
        scopes_granted=flow.scopes_asked if answer.scopes is None else answer.scopes,
        client=flow.client,
        expires_at=expires_at,
        ends_at=seconds_from_now(answer.refresh_expires_in) if answer.refresh_token else expires_at,
        # Most services give each refresh token a whole life; the first renewal shows it.
        is_extended=bool(answer.refresh_token and answer.refresh_expires_in),
    )


def _compare_issuer(flow: Flow, query: Mapping[str, str]) -> None:
    """Refuse an answer of another authorization server (RFC 9207 section 2.4)."""
    connector = flow.connection.connector
    said, expected = query.get("iss", ""), connector.oauth2.issuer
    if not expected or (not said and not connector.oauth2.issuer_required):
        return
    if said != (expected := fill(expected, flow.parameters)):
        raise ServiceError(issuer_mismatch_message(connector.name, said, expected))


def _make_room(user: User, flow_id: uuid.UUID | None) -> uuid.UUID:
    """Drop what this person has left over and return an id that is free.

    An earlier attempt under the same id ends, nine open flows stay beside the new one, and
    nothing stays that is older than a day.
    """
    yesterday = timezone.now() - timedelta(days=1)
    flows = Flow.objects.filter(user=user).order_by("-created_at")
    dropped, opened = [], 0
    for pk, outcome, expires_at in flows.values_list("pk", "outcome", "expires_at"):
        is_open = outcome == Flow.Outcome.OPEN
        opened += is_open
        again = pk == flow_id and outcome in (Flow.Outcome.OPEN, Flow.Outcome.FAILED)
        if again or expires_at < yesterday or (is_open and opened >= MAX_OPEN_FLOWS):
            dropped.append(pk)
    if dropped:
        flows.filter(pk__in=dropped).delete()
    if flow_id is None or Flow.objects.filter(pk=flow_id).exists():
        return uuid.uuid4()
    return flow_id


def _end(flow: Flow, outcome: Flow.Outcome, problem: str) -> Flow:
    if not Flow.objects.filter(pk=flow.pk).end(outcome, problem):
        raise CallbackRefused(
            "The connection was deleted meanwhile, so there is nothing to authorize.", status=404
        )
    flow.refresh_from_db()
    return flow


def _fail(flow: Flow, problem: str) -> Flow:
    return _end(flow, Flow.Outcome.FAILED, problem)


def _fail_if_open(flow: Flow, problem: str) -> None:
    opened = Flow.objects.filter(pk=flow.pk, outcome=Flow.Outcome.OPEN)
    opened.end(Flow.Outcome.FAILED, problem)

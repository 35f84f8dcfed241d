"""Begin and complete an authorization (RFC 6749 section 4.1; RFC 9700).

The server completes the flow; pages only read its row. No transaction is open during a request
to a service.
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
from connections.authorizations.replacing import ask_first, replaced_accounts
from connections.models import CanceledFlow, Flow, InstalledConnection, OAuthClient
from connections.models.authorization_site import AuthorizationSite
from connections.models.flow import FLOW_LIFETIME, digest
from connectors.api.check_call import check
from connectors.definitions.templates import fill
from connectors.errors import CredentialRefused, ServiceError
from connectors.oauth2 import access_token_request, authorization_request
from connectors.oauth2.token_response import kept_from_callback
from console.accounts.authority import NotAllowed
from console.accounts.models import User
from console.choices import Environment

CANCELED = "You canceled this authorization."

#: Unfinished flows for each person; the oldest is deleted first (allauth also keeps ten).
MAX_OPEN_FLOWS = 10


class NoOAuthClient(Exception):
    """This console is not registered with the service yet."""


def begin(
    site: AuthorizationSite,
    user: User,
    environments: Sequence[str],
    *,
    browser: str,
    flow_id: uuid.UUID | None = None,
    return_url: str = "",
) -> str:
    """Create a flow and return the authorization URL of the service.

    ``browser`` is a random token in the person's session. With ``flow_id`` the page that opened
    the popup can find the outcome; a new flow with the same id replaces the earlier one. The
    person returns to ``return_url`` once the flow is completed.

    If the person canceled ``flow_id`` before it began, the flow is stopped and the URL is that of
    its result.
    """
    client = _client_for(site, environments)
    connector, parameters = site.connector, dict(site.snapshot.parameters)
    oauth2 = connector.oauth2
    scopes = site.scopes_to_ask(environments)
    state = secrets.token_urlsafe(32)
    verifier = authorization_request.new_code_verifier() if oauth2 and oauth2.pkce else None
    url = authorization_request.authorization_url(
        connector,
        client_id=client.client_id,
        redirect_uri=client.redirect_uri,
        scopes=scopes,
        state=state,
        code_verifier=verifier,
        values=parameters,
    )
    flow = Flow(
        id=_delete_old_flows(user, flow_id),
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
        return_url=return_url,
        expires_at=timezone.now() + FLOW_LIFETIME,
    )
    try:
        with transaction.atomic():
            flow.save(force_insert=True)
    except IntegrityError:  # the same form was submitted twice at the same time
        flow.id = uuid.uuid4()
        flow.code_verifier = verifier  # encrypt it again, for the row with this id
        flow.save(force_insert=True)
    # Read after the flow is stored: ``cancel`` writes and reads in the opposite order, so one of
    # them sees the other.
    if flow_id and CanceledFlow.objects.filter(user=user, flow_id=flow_id).exists():
        Flow.objects.filter(pk=flow.pk).stop(CANCELED)
        return flow.get_absolute_url()
    return url


def _client_for(site: AuthorizationSite, environments: Sequence[str]) -> OAuthClient:
    """Return the one OAuth client that serves all of these environments."""
    clients = set()
    for environment in environments:
        client = site.oauth_client(environment)
        if client is None:
            raise NoOAuthClient
        clients.add(client)
    if len(clients) > 1:
        raise ServiceError(
            f"This console is registered with {site.connector.name} separately for "
            "each of these environments. Authorize them one after the other."
        )
    return clients.pop()


def complete(query: QueryDict, *, reference: str, user: User, browser: str) -> Flow:
    """Complete the flow of a callback and return it: completed, failed, or to be confirmed.

    Raise :class:`CallbackRefused` if another person or browser began the flow. If the callback
    arrives twice, the code is exchanged once.
    """
    flow = _find_flow(query, reference=reference, user=user, browser=browser)
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
        return _fail(flow, _why_not_allowed(flow))
    try:
        grant = _exchange(flow, query)
    except ServiceError as error:
        return _fail(flow, str(error))
    if grant.refusal:
        result = revoke_late_tokens(build_credential(site, user, grant))
        return _fail(flow, f"{grant.refusal} {result}".rstrip())
    try:
        if others := replaced_accounts(site, user, flow.environments, grant):
            ask_first(site, user, flow.environments, grant, others, flow=flow)
            return flow
        _, others = store_grant(site, user, flow.environments, grant, flow=flow)
    except (ServiceError, NotAllowed) as error:
        result = revoke_late_tokens(build_credential(site, user, grant))
        return _fail(flow, f"{error} {result}".rstrip())
    problem = f"It replaces {' and '.join(others)}." if others else ""
    if grant.account is None:
        problem = "The account could not be looked up; press Test to try again."
    return _end(flow, Flow.Outcome.COMPLETED, problem)


def cancel(user: User, flow_id: uuid.UUID) -> bool:
    """Stop a person's flow at their request; return False if it had ended or not begun.

    If it has not begun, it cannot begin later. A callback that arrives later finds it stopped. If
    the tokens are being requested right now, they are revoked when they arrive.
    """
    CanceledFlow.objects.get_or_create(user=user, flow_id=flow_id)
    return bool(Flow.objects.filter(user=user, pk=flow_id).stop(CANCELED))


def _find_flow(query: QueryDict, *, reference: str, user: User, browser: str) -> Flow:
    """Find the flow by its ``state`` and verify its OAuth client, person and browser."""
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
        _fail_if_open(flow, "The response arrived at the redirect URI of another service.")
        raise CallbackRefused(
            "This response arrived at the redirect URI of another service. Nothing was changed.",
            status=400,
        )
    if flow.user_id != user.pk or not secrets.compare_digest(flow.browser_hash, digest(browser)):
        _fail_if_open(
            flow,
            "Another person or another browser returned from the service. Finish the authorization "
            "in the browser in which you begin it.",
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


def _why_not_allowed(flow: Flow) -> str:
    """Return why a person may no longer complete a flow that they could begin."""
    installed = InstalledConnection.objects.live().filter(
        connection=flow.connection_id, organization=flow.organization_id
    )
    if Environment.PRODUCTION in flow.environments and not installed.exists():
        return not_installed_message(flow.connection)
    return "You are no longer allowed to authorize this connection. Ask a super admin."


def _exchange(flow: Flow, query: Mapping[str, str]) -> Grant:
    """Exchange the code of the callback for a grant.

    Raise :class:`ServiceError` with a message for a person.
    """
    connector = flow.connection.connector
    _compare_issuer(flow, query)
    if "error" in query or not query.get("code"):
        raise ServiceError(error_response_message(connector.name, query, flow.scopes_asked))
    kept = kept_from_callback(connector, query, flow.parameters)
    answer = access_token_request.exchange_code(
        connector,
        client=flow.client.credentials,
        code=query["code"],
        redirect_uri=flow.redirect_uri,
        code_verifier=flow.code_verifier.reveal() if flow.code_verifier else None,
        values={**flow.parameters, **kept},
    )
    kept = {**kept, **answer.kept}
    secret = {"access_token": answer.access_token, "refresh_token": answer.refresh_token}
    account, refusal = None, ""
    try:
        known = {**flow.parameters, **kept, "client_id": flow.client.client_id}
        account = check(connector, "oauth2", secret=secret, values=known)
    except CredentialRefused as error:
        refusal = str(error)
    except ServiceError:
        pass  # the grant is valid; a person can repeat the check on the details page
    expires_at = seconds_from_now(answer.expires_in)
    return Grant(
        secret=secret,
        account=account,
        refusal=refusal,
        parameters=flow.parameters,
        kept=kept,
        scopes_asked=flow.scopes_asked,
        scopes_granted=flow.scopes_asked if answer.scopes is None else answer.scopes,
        client=flow.client,
        expires_at=expires_at,
        ends_at=seconds_from_now(answer.refresh_expires_in) if answer.refresh_token else expires_at,
        # Most services give each new refresh token a full lifetime; the first refresh shows it.
        is_extended=bool(answer.refresh_token and answer.refresh_expires_in),
    )


def _compare_issuer(flow: Flow, query: Mapping[str, str]) -> None:
    """Refuse the response of another authorization server (RFC 9207 section 2.4)."""
    connector = flow.connection.connector
    oauth2, issuer = connector.oauth2, query.get("iss", "")
    if oauth2 is None or not oauth2.issuer or (not issuer and not oauth2.issuer_required):
        return
    if issuer != (expected := fill(oauth2.issuer, flow.parameters)):
        raise ServiceError(issuer_mismatch_message(connector.name, issuer, expected))


def _delete_old_flows(user: User, flow_id: uuid.UUID | None) -> uuid.UUID:
    """Delete a person's old flows and return a free id for the new one.

    This deletes an earlier flow with the same id, flows that are older than a day, and all but
    the nine newest open flows.
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
            "The connection was deleted in the meantime, so there is nothing to authorize.",
            status=404,
        )
    flow.refresh_from_db()
    return flow


def _fail(flow: Flow, problem: str) -> Flow:
    return _end(flow, Flow.Outcome.FAILED, problem)


def _fail_if_open(flow: Flow, problem: str) -> None:
    opened = Flow.objects.filter(pk=flow.pk, outcome=Flow.Outcome.OPEN)
    opened.end(Flow.Outcome.FAILED, problem)

"""Every change of a row is recorded, or is listed here with the reason why it is not.

The changes come from the models and from the routes of the policy table, so that a new model,
or a new page that changes something, fails here until its verb records an event.
"""
# ruff: noqa: F401, F811  (fixtures of other rooms)

from __future__ import annotations

import re

from django.apps import apps
from django.core import mail
from django.core.cache import cache
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from tests.accounts.policy.conftest import come_as, no_limit_was_used_yet, things
from tests.accounts.policy.test_routes import OURS, owner
from tests.accounts.policy.visits import address
from tests.audit.all_verbs import VERBS
from tests.audit.test_verbs import world
from tests.security.fuzz_requests import expected_form

#: A change: the model, and what happens to its row.
Change = tuple[str, str]
HOW = {"INSERT INTO": "create", "UPDATE": "update", "DELETE FROM": "delete"}
TABLES = {
    model._meta.db_table: model._meta.label
    for model in apps.get_models()
    if model.__module__.partition(".")[0] in {"console", "connections"}
}
RECORDED: Change = ("audit.Event", "create")

_LOG = "The log itself; what is wrong with it is found by verify_audit."
_LATER = "Follows from a component, release or installation, whose event tells of it."
_CALLS = "What was called is a log of its own, which is not about changes."
_FIXED = "Is never changed."
_KEYS = "Tells the key ring; which secrets there are does not change."
_LEASE = "Keeps two imports apart; an import is recorded."
_FOUND = "What was found to be damaged; authorizing again is recorded."
_OWN = "A file that a person looks at before it is imported, which is recorded."
_FILTER = "A person's own view of a list, which changes nothing for anybody."
_BULK = "A list of what to do; what is done with each connection is recorded."
_PENDING = "Waits for a person's decision, which is recorded."
#: What no verb of ``all_verbs.py`` does.
UNRECORDED: dict[Change, str] = {
    ("audit.Chain", "delete"): _LOG,
    ("audit.Bookmark", "create"): _LOG,
    ("audit.Bookmark", "update"): _LOG,
    ("audit.Bookmark", "delete"): _LOG,
    ("audit.Event", "update"): _FIXED,
    ("audit.Event", "delete"): _FIXED,
    ("connections.Connection", "create"): "A draft, which is recorded when it is created.",
    ("connections.Flow", "create"): "An attempt, which is recorded when it has succeeded.",
    ("components.Reference", "create"): _LATER,
    ("components.Reference", "update"): _LATER,
    ("connections.ReleasedConnection", "create"): _LATER,
    ("connections.ReleasedConnection", "update"): _LATER,
    ("connections.InstalledConnection", "create"): _LATER,
    ("connections.InstalledConnection", "update"): _LATER,
    ("keys.TokenKey", "delete"): "Nothing that it has signed is valid by then.",
    ("invocations.Invocation", "create"): _CALLS,
    ("invocations.Invocation", "update"): _CALLS,
    ("invocations.HourlyCount", "create"): _CALLS,
    ("invocations.HourlyCount", "update"): _CALLS,
    ("health.Notice", "create"): "Remembers that mail was sent.",
    ("health.Notice", "update"): "Remembers that mail was sent.",
    ("webhooks.Delivery", "create"): "A message about an event that is recorded.",
    ("publishing.Release", "update"): _FIXED,
    ("publishing.Release", "delete"): _FIXED,
    ("distribution.Listing", "delete"): "Deleted only with its application.",
    ("distribution.Picture", "update"): _FIXED,
    ("encryption.KeySentinel", "create"): _KEYS,
    ("encryption.KeySentinel", "update"): _KEYS,
    ("encryption.KeySentinel", "delete"): _KEYS,
    ("encryption.ScanProgress", "create"): _KEYS,
    ("encryption.ScanProgress", "update"): _KEYS,
    ("encryption.ScanProgress", "delete"): _KEYS,
    ("health.UnreadableSecret", "create"): _FOUND,
    ("health.UnreadableSecret", "update"): _FOUND,
    ("connections.Flow", "delete"): "An attempt, deleted with its connection.",
    ("connections.CanceledFlow", "create"): "An attempt that is not made.",
    ("connections.CanceledFlow", "update"): _FIXED,
    ("connections.PendingGrant", "create"): _PENDING,
    ("connections.PendingGrant", "update"): _PENDING,
    ("connections.Tag", "update"): _FIXED,
    ("connections.Tag", "delete"): "Deleted only with its organization.",
    ("connections.BulkRun", "create"): _BULK,
    ("connections.BulkRun", "update"): _BULK,
    ("connections.BulkRun", "delete"): _BULK,
    ("connections.BulkItem", "create"): _BULK,
    ("connections.BulkItem", "delete"): _BULK,
    ("saved_filters.SavedFilter", "create"): _FILTER,
    ("saved_filters.SavedFilter", "update"): _FILTER,
    ("transfer.ImportLease", "create"): _LEASE,
    ("transfer.ImportLease", "update"): _LEASE,
    ("transfer.Upload", "create"): _OWN,
    ("transfer.Upload", "update"): _OWN,
}
#: Routes that change rows and record nothing.
SILENT: dict[str, str] = {
    "draft_discard": "A draft, which nothing was ever done with.",
    "authorization_test": "The last test is shown; an authorization that it ends is recorded.",
    "installed_test": "The last test is shown; an authorization that it ends is recorded.",
    "application_open": "The first key for tokens is made when it is first needed.",
    "installation_open": "The first key for tokens is made when it is first needed.",
    "webhook_test": "A message of which nothing depends.",
    "delivery_resend": "The same message once more.",
    "release_roll_back": "Nothing differs here; the row says who is just publishing.",
    "upload_discard": _OWN,
    "account_replace": "The account of before stays; what has not been accepted is erased.",
    "application_settings": "Nothing differs here.",
    "connection_edit": "Nothing differs here.",
    "bulk_continue": _BULK,
    "flow_cancel": "An attempt, which is recorded when it has succeeded.",
    "saved_filter_create": _FILTER,
    "saved_filter_edit": _FILTER,
    "saved_filter_delete": _FILTER,
}


def changes(queries: CaptureQueriesContext) -> set[Change]:
    """Read from the statements which rows of the product were written."""
    found = set()
    for query in queries.captured_queries:
        statement = query["sql"].replace("INSERT OR IGNORE INTO", "INSERT INTO")  # SQLite's
        written = re.match(r'(INSERT INTO|UPDATE|DELETE FROM) "(\w+)"', statement)
        if written and written[2] in TABLES:
            found.add((TABLES[written[2]], HOW[written[1]]))
    return found


def test_every_change_of_a_model_is_made_by_a_verb_that_records(world) -> None:
    recorded: set[Change] = set()
    for verb, *_ in VERBS:
        cache.clear()  # limits, such as on codes that are mailed, are not rolled back
        mail.outbox.clear()
        with transaction.atomic():
            do = verb(world)
            with CaptureQueriesContext(connection) as queries:
                do()
            made = changes(queries)
            transaction.set_rollback(True)
        world.developer.refresh_from_db()  # one of them changes the password
        assert RECORDED in made, verb.__name__
        recorded |= made
    every = {(label, how) for label in TABLES.values() for how in HOW.values()}
    assert every - recorded - {*UNRECORDED} == set()
    assert {*UNRECORDED} & recorded == set(), "these need no reason"
    assert {*UNRECORDED} <= every


def test_every_route_that_changes_something_records_it(things, come_as) -> None:
    silent, recording = {}, set()
    for name, visit in OURS.items():
        if "post" not in visit.methods:
            continue
        client, path = come_as(owner(name)), address(name, things)
        with transaction.atomic():
            page = client.get(path) if "get" in visit.methods else None
            form = expected_form(page.content.decode()) if page else []
            sent = {field: value.decode() for field, value in form} | dict(visit.data)
            with CaptureQueriesContext(connection) as queries:
                client.post(path, sent)
            made = changes(queries)
            transaction.set_rollback(True)
        if RECORDED in made:
            recording.add(name)
        elif made:
            silent[name] = made
    assert silent.keys() - SILENT.keys() == set(), silent
    assert SILENT.keys() - silent.keys() == set(), "these need no reason"
    assert len(recording) > 20  # the forms that are sent get that far

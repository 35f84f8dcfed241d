from __future__ import annotations

from console.audit.actions import AuditAction
from console.audit.models import Event
from console.audit.sentences import ICONS, SENTENCES, act_label, sentence
from console.settings import BASE_DIR
from console.templatetags.interface import SPRITE


def event(action: str, label: str = "Messages", kind: str = "connection", **details) -> Event:
    return Event(
        action=action,
        actor_email="ann@studio.example",
        object_label=label,
        object_type=kind,
        details=details,
    )


def test_acts_are_alphabetised():
    assert list(AuditAction) == sorted(AuditAction)


def test_every_act_has_a_sentence_and_an_icon_that_is_drawn():
    assert SENTENCES.keys() == set(AuditAction)
    sprite = (BASE_DIR / "static" / SPRITE).read_text()
    for act in AuditAction:
        assert f'<symbol id="{ICONS[act.partition(".")[0]]}"' in sprite


def test_it_speaks_like_a_colleague():
    told = event(AuditAction.RELEASE_PUBLISHED, "Release 3", "release", application="Field Service")
    assert sentence(told) == "ann@studio.example published release 3 of Field Service"
    told = event(
        AuditAction.AUTHORIZATION_GIVEN, account="alice", environments=["development", "stage"]
    )
    assert sentence(told) == (
        "ann@studio.example authorized Messages as alice in Development and Stage"
    )
    told = event(
        AuditAction.MEMBERSHIP_CHANGED, "bob@studio.example", role="super_admin", was="user"
    )
    assert sentence(told) == (
        "ann@studio.example changed the role of bob@studio.example to Super admin"
    )


def test_it_names_in_general_what_was_not_written_down():
    assert sentence(event(AuditAction.AUTHORIZATION_ENDED)) == (
        "Messages is no longer authorized as some account"
    )


def test_names_are_no_patterns():
    told = event(AuditAction.CONNECTION_RENAMED, "{who}", was="{0.__class__}")
    assert sentence(told) == "ann@studio.example renamed the connection {0.__class__} to {who}"


def test_acts_are_named_for_people():
    assert act_label("connection.permissions_changed") == "Connection: permissions changed"
    assert act_label("oauth_client.created") == "OAuth client: created"

"""The seed of the demo: people, applications and rights."""

from __future__ import annotations

from console.accounts.models import User
from console.accounts.policy import Action
from console.applications.models import Application, Right
from console.audit.models import Event
from console.demo.seed import seed


def test_the_developer_may_publish_the_application(db):
    seed("pass-word-1")
    developer = User.objects.get(email="developer@studio.example")
    found = Application.objects.allowing(developer, Action.PUBLISH)
    assert [application.link_name for application in found] == ["field_service"]
    assert not Application.objects.allowing(developer, Action.DISTRIBUTE)


def test_seeding_again_changes_nothing(db):
    seed("pass-word-1")
    Right.objects.update(may_publish=False)  # as a super admin may have done meanwhile
    before = [list(model.objects.values()) for model in (Application, Right, Event)]
    seed("pass-word-1")
    assert [list(model.objects.values()) for model in (Application, Right, Event)] == before


def test_a_new_password_replaces_the_old_one_of_everyone(db):
    seed("pass-word-1")
    seed("pass-word-2")
    people = User.objects.all()
    assert [person.email for person in people if not person.check_password("pass-word-2")] == []

from __future__ import annotations

from console.accounts.models import User
from console.accounts.policy import Action
from console.applications.models import Application, Right
from console.audit.models import Event
from console.demo.seed import seed


def test_the_developer_of_the_demo_may_publish_its_application(db):
    seed("pass-word-1")
    developer = User.objects.get(email="developer@studio.example")
    found = Application.objects.allowing(developer, Action.PUBLISH)
    assert [application.link_name for application in found] == ["field_service"]
    assert not Application.objects.allowing(developer, Action.DISTRIBUTE)


def test_run_again_it_changes_nothing(db):
    seed("pass-word-1")
    Right.objects.update(may_publish=False)  # as a super admin may have done meanwhile
    before = [list(model.objects.values()) for model in (Application, Right, Event)]
    seed("pass-word-1")
    assert [list(model.objects.values()) for model in (Application, Right, Event)] == before

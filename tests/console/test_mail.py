"""Every mail goes through ``console.mail``."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.db import transaction

from console import mail

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = "webhooks/email/disabled"
CONTEXT = {"webhook": "a & b\nBcc: x", "application": "CRM", "problem": "<down>", "url": "u"}


def test_each_recipient_gets_a_message_of_their_own(mailoutbox):
    mail.send(TEMPLATE, ["a@x.example", "b@x.example"], CONTEXT)
    assert [message.to for message in mailoutbox] == [["a@x.example"], ["b@x.example"]]
    assert "\n\n--\nDeveloper Console, " in mailoutbox[0].body


def test_a_mail_is_plain_text_and_its_subject_is_one_line(mailoutbox):
    mail.send(TEMPLATE, ["a@x.example"], CONTEXT)
    assert mailoutbox[0].subject == "The webhook a & b Bcc: x was disabled"
    assert "<down>" in mailoutbox[0].body


@pytest.mark.django_db(transaction=True)
def test_it_sends_after_the_commit(mailoutbox):
    with transaction.atomic():
        mail.send_after_commit(TEMPLATE, ["a@x.example"], CONTEXT)
        assert mailoutbox == []
    assert len(mailoutbox) == 1


@pytest.mark.django_db(transaction=True)
def test_it_sends_nothing_after_a_rollback(mailoutbox):
    with transaction.atomic():
        mail.send_after_commit(TEMPLATE, ["a@x.example"], CONTEXT)
        transaction.set_rollback(True)
    assert mailoutbox == []


@pytest.mark.django_db(transaction=True)
def test_a_failure_is_logged_without_the_text_and_reported(settings, caplog):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    reports: list[str] = []
    context = {**CONTEXT, "url": "https://console.test/a-secret-token"}
    mail.send_after_commit(
        TEMPLATE, ["a@x.example"], context, on_failure=lambda: reports.append("failed")
    )
    assert reports == ["failed"]
    assert TEMPLATE in caplog.text and "a-secret-token" not in caplog.text


def test_no_other_module_sends_mail():
    sends = re.compile(r"django\.core\.mail|django\.core import.*\bmail\b")
    found = {
        str(path.relative_to(ROOT))
        for room in ("console", "connections", "connectors")
        for path in (ROOT / room).rglob("*.py")
        if sends.search(path.read_text(encoding="utf-8"))
    }
    assert found == {"console/mail.py"}


def test_every_message_has_a_subject():
    for message in ROOT.glob("templates/*/email/*_message.txt"):
        if not message.name.startswith("base_"):
            subject = message.with_name(message.name.replace("_message", "_subject"))
            assert subject.read_text(encoding="utf-8").strip(), subject

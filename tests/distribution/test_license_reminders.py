"""Reminders before a license ends, and notices that it has ended."""

from __future__ import annotations

from datetime import timedelta

from django.core import mail
from django.utils import timezone

from console.distribution.license_reminders import remind_licenses
from console.distribution.models import Share


def test_each_mail_is_sent_once(installed, boss, django_capture_on_commit_callbacks):
    installed("trial_15")

    def subjects() -> list[str]:
        mail.outbox.clear()
        with django_capture_on_commit_callbacks(execute=True):
            remind_licenses()
        return [message.subject for message in mail.outbox]

    assert subjects() == []
    Share.objects.update(ends_at=timezone.now() + timedelta(days=2))
    assert subjects() == ["The license of Field Service ends soon"]
    assert subjects() == []
    Share.objects.update(ends_at=timezone.now() - timedelta(minutes=1))
    assert subjects() == ["The license of Field Service has ended"]
    assert subjects() == []

"""Decide once for every account that exists whether its address is confirmed.

An address is confirmed where an operator typed it in, or a link was mailed to it. Until now
people could also make an address their own that they had never confirmed. Where that cannot be
told apart the address stays unconfirmed: operators find it with ``unconfirmed_addresses``.
"""

from django.db import migrations

#: What an operator did to the account itself (``console.audit.acts``).
TYPED_BY_AN_OPERATOR = ("user.created", "user.changed")


def _is_vouched_for(Event, user) -> bool:
    """Tell whether somebody else has typed this address in, by the audit log."""
    events = Event.objects.filter(
        object_type="user", object_id=str(user.pk), action__in=TYPED_BY_AN_OPERATOR
    ).exclude(actor=user.pk)
    return any(
        event.object_label.lower() == user.email
        and (event.action == "user.created" or "email" in event.details.get("fields", []))
        for event in events
    )


def confirm(apps, schema_editor):
    User = apps.get_model("accounts", "User")
    EmailAddress = apps.get_model("account", "EmailAddress")
    Event = apps.get_model("audit", "Event")
    for user in User.objects.iterator(chunk_size=500):
        email = user.email.lower()
        if email != user.email:
            user.email = email
            user.save(update_fields=["email"])
        rows = EmailAddress.objects.filter(user=user)
        known = rows.exists()
        rows.filter(verified=False).exclude(email=email).delete()  # claims, which now end
        own = rows.filter(email=email).first()
        taken = EmailAddress.objects.filter(email=email, verified=True).exclude(user=user).exists()
        if own is None:
            own = EmailAddress(user=user, email=email)
        if not own.verified and not taken:
            # Without any row nobody has ever touched the addresses of this account.
            own.verified = not known or _is_vouched_for(Event, user)
        other = rows.filter(verified=True).exclude(email=email).order_by("-primary", "pk").first()
        if not own.verified and other and not _is_anothers(User, user, other.email):
            rows.filter(email=email).delete()
            user.email = other.email
            user.save(update_fields=["email"])
            own = other
        rows.exclude(pk=own.pk).update(primary=False)
        own.primary = own.verified
        own.save()


def _is_anothers(User, user, email) -> bool:
    return User.objects.filter(email__iexact=email).exclude(pk=user.pk).exists()


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_membership_deactivated_at"),
        ("account", "0009_emailaddress_unique_primary_email"),
        ("audit", "0003_bookmark"),
    ]

    operations = [migrations.RunPython(confirm, migrations.RunPython.noop)]

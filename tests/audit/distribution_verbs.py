"""The verbs by which applications reach clients, and what these do with them."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from console.accounts.models import Membership, Organization
from console.choices import Role
from console.distribution import installing, marketplace, sharing, updating
from console.distribution.models import Listing, Picture, Share
from console.distribution.pictures import SanitizedPicture
from console.inviting.models import Invitation
from console.publishing import publishing
from tests.audit.world import World

PICTURE = SanitizedPicture(content=b"pixels", media_type="image/png", width=64, height=64)


def _release(w: World, name: str = "Find people"):
    component = w.build(name)
    outcome = publishing.publish(w.application, w.super_admin, ticked=[component.link_name])
    return outcome.release


def _client(w: World) -> Organization:
    """Make a client, whose super admin is the operator."""
    client = Organization.objects.create(name="Client", slug="client")
    Membership.objects.create(user=w.operator, organization=client, role=Role.SUPER_ADMIN)
    Invitation.objects.create(
        organization=w.studio,
        email=w.operator.email,
        token_hash="2" * 64,
        expires_at=timezone.now() + timedelta(days=15),
        accepted_at=timezone.now(),
        client=client,
    )
    return client


def _share(w: World) -> Share:
    release = _release(w)
    return sharing.share(w.application, _client(w), release, "trial_15", w.super_admin)


def _installed(w: World):
    offer = installing.offer_from_share(_share(w))
    return installing.install(offer, w.operator, seen=str(offer.release.pk)).installation


def shared(w: World):
    release, client = _release(w), _client(w)
    return lambda: sharing.share(w.application, client, release, "subscription", w.super_admin)


def license_changed(w: World):
    share = _share(w)
    return lambda: sharing.change_license(share, "trial_60", w.super_admin, ends_at=None)


def released(w: World):
    share, release = _share(w), _release(w, "Order parts")
    return lambda: sharing.send_update(share, release, w.super_admin)


def withdrawn(w: World):
    share = _share(w)
    return lambda: sharing.withdraw(share, w.super_admin)


def installed(w: World):
    offer = installing.offer_from_share(_share(w))
    return lambda: installing.install(offer, w.operator, seen=str(offer.release.pk))


def uninstalled(w: World):
    installation = _installed(w)
    return lambda: installing.uninstall(installation, w.operator)


def _outdated(w: World):
    installation, release = _installed(w), _release(w, "Order parts")
    sharing.send_update(Share.objects.get(), release, w.super_admin)
    return installation, str(release.pk)


def updated(w: World):
    installation, seen = _outdated(w)
    return lambda: updating.update(installation, w.operator, seen=seen)


def left(w: World):
    installation, seen = _outdated(w)
    return lambda: updating.skip(installation, w.operator, seen=seen)


def _values(w: World):
    words = {"title": "Field Service", "summary": "All.", "description": "All of it."}
    return {"release": _release(w), "help_url": "https://studio.example/", **words}


def listing_saved(w: World):
    values = _values(w)
    return lambda: marketplace.save(w.application, values, w.super_admin)


def picture_added(w: World):
    marketplace.save(w.application, _values(w), w.super_admin)
    return lambda: marketplace.add_picture(w.application, PICTURE, "A plan", w.super_admin)


def picture_removed(w: World):
    picture_added(w)()
    return lambda: marketplace.remove_picture(Picture.objects.get(), w.super_admin)


def listing_submitted(w: World):
    marketplace.save(w.application, _values(w), w.super_admin)
    return lambda: marketplace.submit(w.application, w.super_admin)


def _submitted(w: World) -> Listing:
    return listing_submitted(w)()


def listing_published(w: World):
    row = _submitted(w)
    return lambda: marketplace.publish(row, w.operator)


def listing_refused(w: World):
    row = _submitted(w)
    return lambda: marketplace.refuse(row, "Say what it is for.", w.operator)


def listing_withdrawn(w: World):
    _submitted(w)
    return lambda: marketplace.withdraw(w.application, w.super_admin)

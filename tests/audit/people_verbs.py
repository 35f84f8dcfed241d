"""The verbs of super admins on people, and invitations."""

from __future__ import annotations

from console.inviting import accepting, inviting
from console.people import memberships
from tests.audit.world import World


def _member(w: World):
    return w.developer.memberships.get()


def role_changed(w: World):
    return lambda: memberships.change_role(_member(w), "admin", w.super_admin)


def deactivated(w: World):
    return lambda: memberships.deactivate(_member(w), w.super_admin)


def reactivated(w: World):
    memberships.deactivate(_member(w), w.super_admin)
    return lambda: memberships.reactivate(_member(w), w.super_admin)


def removed(w: World):
    return lambda: memberships.remove(_member(w), w.super_admin)


def _invitation(w: World):
    email = w.operator.email
    return inviting.invite(w.studio, email, "developer", w.super_admin, on_failure=print)


def invitation_sent(w: World):
    return lambda: _invitation(w)


def invitation_resent(w: World):
    invitation = _invitation(w)
    return lambda: inviting.resend(invitation, w.super_admin, on_failure=print)


def invitation_withdrawn(w: World):
    invitation = _invitation(w)
    return lambda: inviting.withdraw(invitation, w.super_admin)


def invitation_accepted(w: World):
    invitation = _invitation(w)
    return lambda: accepting.accept(invitation, w.operator)

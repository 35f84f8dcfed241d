"""Verify the hash chains: find events that were changed, removed or inserted."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass

from console.accounts.models import Organization
from console.audit.hash_chain import GENESIS, hash_of
from console.audit.models import DEPLOYMENT, Chain, Event

#: Rows in memory at once.
BATCH = 1000


@dataclass(frozen=True, kw_only=True)
class ChainHead:
    """The newest event of a chain: to be kept where nobody who writes here can write."""

    chain: str
    number: int
    hash: str


@dataclass(frozen=True, kw_only=True)
class ChainFault:
    """Something that is not as it was written; ``number`` is the first event concerned."""

    chain: str
    number: int
    message: str

    def __str__(self) -> str:
        return f"{self.chain}: {self.message}"


def chains(slug: str = "") -> dict[uuid.UUID, str]:
    """Name every chain, or one organization's; one without a head is found by its events.

    An organization that is gone is named by its key.
    """
    slugs = dict(Organization.objects.values_list("pk", "slug"))
    if slug:
        return {key: name for key, name in slugs.items() if name == slug}
    events = Event.objects.order_by().values_list("organization", flat=True).distinct()
    keys = {*Chain.objects.values_list("pk", flat=True), *(key or DEPLOYMENT for key in events)}
    names = {DEPLOYMENT: "the deployment", **slugs}
    return {key: names.get(key, str(key)) for key in sorted(keys)}


def verify(key: uuid.UUID, name: str) -> Iterator[ChainFault | ChainHead]:
    """Recompute a chain from its first event on; the last thing that comes is its head.

    It may be written to meanwhile: what the head says was there when the walk began.
    """
    number, hashed = 0, GENESIS
    said = Chain.objects.filter(pk=key).first()
    while True:
        for event in _events(key, number):
            yield from _faults(event, name, number, hashed)
            number, hashed = event.number, event.hash
        if said is None or said.number >= number:
            break
        newer = Chain.objects.get(pk=key)
        if newer.number == said.number:
            break  # nobody writes: there are events that the head does not know
        said = newer
    if fault := _fault_of_head(said, name, number, hashed):
        yield fault
    yield ChainHead(chain=name, number=number, hash=hashed)


def _events(key: uuid.UUID, after: int) -> Iterator[Event]:
    rows = Event.objects.filter(organization=None if key == DEPLOYMENT else key).order_by("number")
    while batch := list(rows.filter(number__gt=after)[:BATCH]):
        yield from batch
        after = batch[-1].number


def _faults(event: Event, name: str, before: int, hashed: str) -> Iterator[ChainFault]:
    number = event.number
    if number != before + 1:
        last = number - 1
        gone = f"event {last} is" if last == before + 1 else f"events {before + 1} to {last} are"
        yield ChainFault(chain=name, number=before + 1, message=f"{gone} missing.")
    elif event.previous_hash != hashed:
        yield ChainFault(
            chain=name,
            number=number,
            message=f"event {number} does not follow the event before it: one of them was "
            "rewritten or put in another place.",
        )
    if hash_of(event) != event.hash:
        yield ChainFault(
            chain=name, number=number, message=f"event {number} is not what was written: changed."
        )


def _fault_of_head(said: Chain | None, name: str, number: int, hashed: str) -> ChainFault | None:
    if said is None:
        message = "the head of the chain is missing." if number else ""
    elif said.number > number:
        message = f"events {number + 1} to {said.number} are missing at the end."
    elif said.number < number:
        message = f"the head says that {said.number} is the last event, but there are {number}."
    elif said.hash != hashed:
        message = f"event {number} is not the one that the head knows: rewritten."
    else:
        message = ""
    return ChainFault(chain=name, number=number + 1, message=message) if message else None

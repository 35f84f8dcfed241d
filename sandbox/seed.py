"""Sample data: the users alice and bob, their contacts and orders."""

from __future__ import annotations

from django.db import transaction

from sandbox.models import Contact, Order, Person

PEOPLE = {
    "alice": ("Alice", "Archer", "alice@example.com"),
    "bob": ("Bob", "Baker", "bob@example.com"),
}
CONTACTS = {
    "alice": [
        ("Amara Okafor", "amara@northwind.example", "Northwind"),
        ("Björn Lindqvist", "bjorn@fjord.example", "Fjord Shipping"),
        ("Chiara Rossi", "chiara@lumen.example", "Lumen"),
        ("Dmitri Volkov", "dmitri@northwind.example", "Northwind"),
        ("Emeka Eze", "emeka@palm.example", "Palm & Sons"),
        ("Fatima Zahra", "fatima@lumen.example", "Lumen"),
    ],
    "bob": [
        ("Gwen Parry", "gwen@slate.example", "Slate"),
        ("Hiroshi Tanaka", "hiroshi@koi.example", "Koi Trading"),
        ("Inés Molina", "ines@slate.example", "Slate"),
    ],
}
ORDERS = {
    "alice": [("Standing desk", 2), ("Desk lamp", 4), ("Office chair", 2)],
    "bob": [("Coffee beans, 1 kg", 6)],
}


@transaction.atomic
def seed(demo_password: str) -> None:
    """Create alice and bob with ``demo_password``, and their sample data.

    Existing data is kept. Alice's API key equals the password; Bob's is random.
    """
    for user_name, (first, last, email) in PEOPLE.items():
        person, new = Person.objects.get_or_create(
            username=user_name,
            defaults={"first_name": first, "last_name": last, "email": email},
        )
        if not person.check_password(demo_password):
            person.set_password(demo_password)
        if user_name == "alice":
            person.api_key = demo_password
        person.save()
        if new:
            for name, address, company in CONTACTS[user_name]:
                Contact.objects.create(owner=person, name=name, email=address, company=company)
            for item, quantity in ORDERS[user_name]:
                Order.objects.create(owner=person, item=item, quantity=quantity)

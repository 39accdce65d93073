"""Writing accounts one by one, for integrations."""

from typing import Any

from django.db import transaction

from accounts.customers.rates import known_currencies
from accounts.models import Account, Contact, User
from ledger.errors import Invalid

WRITABLE = frozenset(
    "name kind status segment industry country region strategic currency arr renewal_date health".split()
)


@transaction.atomic
def put(*, by: User, source: str, external_id: str, **values: Any) -> tuple[Account, bool]:
    """Creates or updates the account of that source and external id; returns it and whether it is new.

    Fields not given keep their value; `csm_email` and `ae_email` name active users. Raises Invalid for an unknown field,
    user or currency, and for a new account without a name.
    """
    people = {
        name: _person(values.pop(f"{name}_email"), f"{name}_email")
        for name in ("csm", "ae")
        if f"{name}_email" in values
    }
    if unknown := set(values) - WRITABLE:
        raise Invalid(f"There is no field {min(unknown)}.", field=min(unknown))
    if "currency" in values and values["currency"] not in known_currencies():
        raise Invalid(f"There is no exchange rate for {values['currency']}.", field="currency")
    account = Account.objects.select_for_update().filter(source=source, external_id=external_id).first()
    if account is None and not values.get("name"):
        raise Invalid("Enter the name of the new account.", field="name")
    new = account is None
    account = account or Account(source=source, external_id=external_id)
    changed = _assign(account, {**values, **people})
    if new or changed:
        account._history_user = by  # type: ignore[attr-defined]
        account.save()
    return account, new


def contact_of(*, account: Account, email: str) -> Contact | None:
    """The account's contact with that address; None for no address. Raises Invalid when it is not one of theirs."""
    if not email:
        return None
    contact = account.contacts.filter(email__iexact=email).first()
    if contact is None:
        raise Invalid(f"{email} is not a contact of this account.", field="contact_email")
    return contact


def _assign(account: Account, values: dict[str, Any]) -> bool:
    different = [name for name, value in values.items() if getattr(account, name) != value]
    for name in different:
        setattr(account, name, values[name])
    return bool(different)


def _person(email: str, field: str) -> User:
    person = User.objects.filter(email=email.strip().lower(), is_active=True).first()
    if person is None:
        raise Invalid(f"No active user has the address {email}.", field=field)
    return person

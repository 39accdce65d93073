"""Adds people of customers."""

from django.db import IntegrityError, transaction

from accounts.models import Account, AccountWords, Contact, Signal
from ledger.errors import Invalid
from ledger.search import index


def add(*, account: Account, name: str, email: str) -> Contact:
    """A contact of the account with this address, in the caller's transaction; what came from the address without a name is
    theirs from now on. An address that is a contact of the account already is that contact.

    Raises Invalid without an address, or if it belongs to a contact of another account.
    """
    address = email.strip().lower()
    if "@" not in address:
        raise Invalid("This message has no sender's address.", field="email")
    contact = _contact(account, name.strip()[:120] or address.partition("@")[0][:120], address)
    if contact.account_id != account.pk:
        raise Invalid(f"{address} is a contact of another account.", field="email")
    Signal.objects.filter(account=account, contact__isnull=True, sender__iexact=address).update(contact=contact)
    index.write(AccountWords, [account.pk])
    return contact


def _contact(account: Account, name: str, address: str) -> Contact:
    found = Contact.objects.filter(email__iexact=address).first()
    if found:
        return found
    try:
        with transaction.atomic():
            return Contact.objects.create(account=account, name=name, email=address)
    except IntegrityError:
        # Two people added the same sender at this moment.
        return Contact.objects.get(email__iexact=address)

"""Reads about accounts for all apps above. Nothing here writes."""

from collections.abc import Iterator

from accounts.customers.models import Account, AccountDomain, Contact


def account_for_address(email: str) -> tuple[Account, Contact | None] | None:
    """The account of a mail address: by contact, else by the domain or a domain above it. None if it is unknown."""
    address = (email or "").strip().lower()
    contact = Contact.objects.select_related("account").filter(email__iexact=address).first()
    if contact:
        return contact.account, contact
    domains = list(_domains(address))
    found = AccountDomain.objects.select_related("account").filter(domain__in=domains)
    by_domain = {row.domain: row.account for row in found}
    return next(((by_domain[domain], None) for domain in domains if domain in by_domain), None)


def _domains(address: str) -> Iterator[str]:
    """The domain of the address, then those above it, never a bare top-level domain."""
    labels = address.rpartition("@")[2].split(".")
    for start in range(min(len(labels) - 1, 10)):
        yield ".".join(labels[start:])

"""Writing accounts. Whoever writes one calls `save` or `announce`, so that the apps above learn of its name and team."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import TypedDict

from django.db import transaction

from accounts.customers.health import take_outside
from accounts.customers.rates import known_currencies
from accounts.events import people_changed
from accounts.models import Account, AccountWords, Contact, User
from ledger.errors import Invalid
from ledger.format import too_precise
from ledger.reading import has_words, one_line, visible
from ledger.search import index


class AccountValues(TypedDict, total=False):
    """The values of an account that an integration may write; fields left out do not change. The addresses name active
    users."""

    name: str
    kind: str
    status: str
    segment: str
    industry: str
    country: str
    region: str
    strategic: bool
    currency: str
    arr: Decimal | None
    renewal_date: date | None
    health: int | None
    csm_email: str
    ae_email: str


EMAILS = ("csm_email", "ae_email")
# The fields that the apps above keep copies of: who sees a case, and the words to find it by.
COPIED = ("name", "csm", "ae")
BATCH = 500


@transaction.atomic
def save(account: Account, *, by: User | None = None) -> None:
    """Save an account, and announce it if it is new or its name, CSM or AE changed."""
    # Compared with the row and not with a form: a restored version of the history differs from the row without any entry.
    before = Account.objects.filter(pk=account.pk).values_list("name", "csm_id", "ae_id").first()
    account._history_user = by  # type: ignore[attr-defined]
    account.save()
    index.write(AccountWords, [account.pk])
    if before != (account.name, account.csm_id, account.ae_id):
        announce([account])


def announce(accounts: Sequence[Account]) -> None:
    """Send `people_changed` for saved accounts that are new, or whose name, CSM or AE changed. Call it inside the transaction
    that wrote them."""
    ids = [account.pk for account in accounts]
    for start in range(0, len(ids), BATCH):
        people_changed.send(sender=Account, accounts=ids[start : start + BATCH])


@transaction.atomic
def put(*, by: User, source: str, external_id: str, values: AccountValues) -> tuple[Account, bool]:
    """Creates or updates the account of that source and external id; returns it and whether it is new.

    The name becomes one line, and the id loses characters that nobody sees. Raises Invalid for an unknown user or currency,
    an ARR with more decimals than its currency, an id or a name that shows nothing, and for a new account without a name.
    """
    external_id = visible(external_id)
    if not has_words(external_id):
        raise Invalid("Enter the id of the account in its source.", field="external_id")
    known: dict[str, object] = {name: value for name, value in values.items() if name not in EMAILS}
    if "name" in values:
        known["name"] = one_line(values["name"])
        if not has_words(values["name"]):
            raise Invalid("Enter the name of the account.", field="name")
    if "csm_email" in values:
        known["csm"] = _person(values["csm_email"], "csm_email")
    if "ae_email" in values:
        known["ae"] = _person(values["ae_email"], "ae_email")
    if "currency" in values and values["currency"] not in known_currencies():
        raise Invalid(f"There is no exchange rate for {values['currency']}.", field="currency")
    account = Account.objects.select_for_update().filter(source=source, external_id=external_id).first()
    if account is None and not values.get("name"):
        raise Invalid("Enter the name of the new account.", field="name")
    new = account is None
    account = account or Account(source=source, external_id=external_id)
    if "health" in known:
        known["health_outside"] = known.pop("health")
    changed = _assign(account, known)
    if problem := too_precise(account.arr, account.currency):
        raise Invalid(problem, field="arr")
    if new or changed:
        save(account, by=by)
    return account, new


def contact_of(*, account: Account, email: str) -> Contact | None:
    """The account's contact with that address; None for no address. Raises Invalid when the address is not a contact of
    the account."""
    if not email:
        return None
    contact = account.contacts.filter(email__iexact=email).first()
    if contact is None:
        raise Invalid(f"{email} is not a contact of this account.", field="contact_email")
    return contact


def _assign(account: Account, values: Mapping[str, object]) -> bool:
    different = [name for name, value in values.items() if getattr(account, name) != value]
    for name in different:
        setattr(account, name, values[name])
    if "health_outside" in different:
        take_outside(account, account.health_outside)
    return bool(different)


def _person(email: str, field: str) -> User:
    person = User.objects.filter(email=email.strip().lower(), is_active=True).first()
    if person is None:
        raise Invalid(f"No active user has the address {email}.", field=field)
    if person.is_external:
        raise Invalid(f"{person} is an external party. Name a colleague.", field=field)
    return person

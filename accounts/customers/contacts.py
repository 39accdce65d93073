"""The customer's people on an account, kept by its team."""

from dataclasses import dataclass
from functools import lru_cache

from django.conf.global_settings import LANGUAGES
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction

from accounts.models import Account, AccountWords, Contact, Role, Signal, User
from ledger.errors import Invalid, NotAllowed
from ledger.reading import has_words
from ledger.search import index


@dataclass(frozen=True)
class Person:
    """What the desk keeps about a contact. `title` is the role at the customer; `language` a code such as `de`, or empty."""

    name: str
    email: str
    title: str = ""
    language: str = ""
    executive: bool = False


@lru_cache
def languages() -> tuple[tuple[str, str], ...]:
    """Codes and names of languages, by name."""
    return tuple(sorted(((code, str(name)) for code, name in LANGUAGES), key=lambda each: each[1]))


def may_keep(account: Account, user: User) -> bool:
    """Whether a person keeps the contacts of an account: its CSM, its AE, their managers and operations."""
    team = {account.csm_id, account.ae_id}
    return user.pk in team or user.is_ops or (user.sees in (Role.TREE, Role.ALL) and bool(team & set(user.tree_ids)))


@transaction.atomic
def add(*, account_id: int, by: User, given: Person) -> Contact:
    """A new contact of an account. Raises NotAllowed for people outside the team, Invalid with the field for an empty name, a
    wrong address, an unknown language, or an address that a contact has already."""
    account = _locked(account_id, by)
    contact = Contact(account=account)
    _keep(contact, by, given)
    return contact


@transaction.atomic
def correct(*, contact_id: int, by: User, given: Person) -> Contact:
    """Other values for a contact. Raises like `add`."""
    account_id = Contact.objects.values_list("account", flat=True).get(pk=contact_id)
    _locked(account_id, by)
    contact = Contact.objects.select_for_update(of=("self",)).select_related("account").get(pk=contact_id)
    _keep(contact, by, given)
    return contact


def _locked(account_id: int, by: User) -> Account:
    account = Account.objects.select_for_update(no_key=True).get(pk=account_id)
    if not may_keep(account, by):
        raise NotAllowed("Only the account's CSM and AE, their managers and operations change its contacts.")
    return account


def _keep(contact: Contact, by: User, given: Person) -> None:
    name, email = " ".join(given.name.split()), given.email.strip().lower()
    if not has_words(name):
        raise Invalid("Enter the contact's name.", field="name")
    try:
        validate_email(email)
    except ValidationError:
        raise Invalid("Enter an e-mail address such as jonas@northwind.example.", field="email")
    if given.language and given.language not in dict(languages()):
        raise Invalid("Choose a language from the list.", field="language")
    other = Contact.objects.filter(email__iexact=email).exclude(pk=contact.pk).select_related("account").first()
    if other is not None:
        raise Invalid(_taken(other, contact.account_id, by), field="email")
    contact.name, contact.email, contact.title = name[:120], email, given.title.strip()[:120]
    contact.language, contact.executive = given.language, given.executive
    contact._history_user = by  # type: ignore[attr-defined]
    contact.save()
    index.write(AccountWords, [contact.account_id])


def _taken(other: Contact, account_id: int, by: User) -> str:
    if other.account_id == account_id:
        return f"{other.name} has this address already. Correct that contact."
    if Account.objects.visible_to(by).filter(pk=other.account_id).exists():
        return f"{other.name} of {other.account.name} has this address already."
    return "A contact of another account has this address already. Ask operations."


def add_sender(*, account: Account, name: str, email: str) -> Contact:
    """A contact of the account with this address, in the caller's transaction; what came from the address without a name is
    theirs from now on. An address that is a contact of the account already is that contact.

    Raises Invalid without an address, or if it belongs to a contact of another account.
    """
    address = email.strip().lower()
    if "@" not in address:
        raise Invalid("This message has no sender's address.", field="email")
    contact = _contact_of(account, name.strip()[:120] or address.partition("@")[0][:120], address)
    if contact.account_id != account.pk:
        raise Invalid(f"{address} is a contact of another account.", field="email")
    Signal.objects.filter(account=account, contact__isnull=True, sender__iexact=address).update(contact=contact)
    index.write(AccountWords, [account.pk])
    return contact


def _contact_of(account: Account, name: str, address: str) -> Contact:
    found = Contact.objects.filter(email__iexact=address).first()
    if found:
        return found
    try:
        with transaction.atomic():
            return Contact.objects.create(account=account, name=name, email=address)
    except IntegrityError:
        # Two people added the same sender at this moment.
        return Contact.objects.get(email__iexact=address)

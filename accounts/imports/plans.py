"""Matches the rows of one batch with existing records, and writes the batch. One planner for each kind of file."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Generic, TypeVar

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.models import Field, Model
from simple_history.utils import bulk_create_with_history, bulk_update_with_history

from accounts.customers import contracts
from accounts.customers.accounts import COPIED, announce
from accounts.customers.health import take_outside
from accounts.customers.rates import known_currencies
from accounts.imports.cells import (
    Cells,
    Problem,
    Reading,
    account_values,
    contact_values,
    subscription_values,
    website_domain,
)
from accounts.imports.rules import is_blank
from accounts.models import Account, AccountDomain, AccountWords, Contact, ImportRun, Subscription, User
from ledger.now import now
from ledger.search import index

Record = TypeVar("Record", bound=Model)


@dataclass
class Outcome(Generic[Record]):
    """The result of a batch: records to create and to change, the number of unchanged ones, and the problems."""

    create: list[Record] = field(default_factory=list)
    update: list[Record] = field(default_factory=list)
    unchanged: int = 0
    problems: list[Problem] = field(default_factory=list)
    domains: list[AccountDomain] = field(default_factory=list)
    announced: list[Account] = field(default_factory=list)
    touched: set[int] = field(default_factory=set)

    def sort_in(self, record: Record, changed: bool) -> None:
        """Add a record to the right list."""
        if record.pk is None:
            self.create.append(record)
        elif changed:
            self.update.append(record)
        else:
            self.unchanged += 1


class Planner(Generic[Record]):
    """Shared by all kinds: remembers the ids of the file so that the second row of an id is refused, not merged."""

    key = "external_id"
    ignore_case = False

    def __init__(self, run: ImportRun, reading: Reading) -> None:
        self.run, self.reading = run, reading
        self.currencies = frozenset(known_currencies())
        self.first_seen: dict[str, int] = {}

    def cells(self, line: int, values: dict[str, str]) -> Cells:
        """The row's cells by field."""
        return Cells(line, values, self.run.columns, self.currencies, self.reading)

    def note(self, cells: Cells) -> None:
        """Remember the row's id; a second row with it gets a problem."""
        ident = cells.raw(self.key).strip()
        ident = ident.lower() if self.ignore_case else ident
        if ident and (first := self.first_seen.setdefault(ident, cells.line)) != cells.line:
            cells.refuse(self.key, f"It appears twice in the file, first in row {first}: keep one of the two.")

    def plan(self, rows: Sequence[Cells]) -> Outcome[Record]:
        """Decide the effect of each row; nothing is written."""
        raise NotImplementedError

    def write(self, outcome: Outcome[Record]) -> None:
        """Write the batch. Call inside a transaction."""
        raise NotImplementedError

    def _accounts(self, idents: Iterable[str]) -> dict[str, Account]:
        found = Account.objects.filter(source=self.run.source, external_id__in={ident for ident in idents if ident})
        return {account.external_id: account for account in found}


class AccountPlanner(Planner[Account]):
    """Accounts: matched by source and external id."""

    def __init__(self, run: ImportRun, reading: Reading, parents: frozenset[str] = frozenset()) -> None:
        super().__init__(run, reading)
        self.parents = parents

    def plan(self, rows: Sequence[Cells]) -> Outcome[Account]:
        """Create, update or leave unchanged; owner, domain and parent must be known."""
        outcome = Outcome[Account]()
        existing = self._accounts(row.raw("external_id").strip() for row in rows)
        owners = _users(row.raw("owner_email") for row in rows)
        taken = _domains(website_domain(row.raw("domain")) for row in rows)
        for row in rows:
            self._plan_row(row, existing, owners, taken, outcome)
        return outcome

    def _plan_row(
        self,
        row: Cells,
        existing: dict[str, Account],
        owners: dict[str, User],
        taken: dict[str, str],
        outcome: Outcome[Account],
    ) -> None:
        values = account_values(row)
        account = existing.get(str(values.get("external_id", ""))) or self._new()
        row.check_decimals(str(values.get("currency") or account.currency))
        self._check_parent(row)
        domain = self._domain(row, taken)
        if owner := self._owner(row, owners):
            values["csm"] = owner
        if row.problems:
            outcome.problems += row.problems
            return
        different = _assign(account, values)
        if "health_outside" in different:
            take_outside(account, account.health_outside)
        if account.pk is None or set(COPIED) & set(different):
            outcome.announced.append(account)
        changed = bool(different)
        if domain and domain not in taken:
            taken[domain] = account.external_id
            outcome.domains.append(AccountDomain(account=account, domain=domain))
            changed = True
        outcome.sort_in(account, changed)

    def write(self, outcome: Outcome[Account]) -> None:
        """Accounts with their history, then their domains."""
        _save(Account, outcome, ACCOUNT_FIELDS, self.run)
        announce(outcome.announced)
        for domain in outcome.domains:
            domain.account_id = domain.account.pk
        AccountDomain.objects.bulk_create(outcome.domains)
        index.write(AccountWords, [account.pk for account in (*outcome.create, *outcome.update)])

    def _new(self) -> Account:
        return Account(source=self.run.source, currency=self.run.default_currency or "USD")

    def _owner(self, row: Cells, owners: dict[str, User]) -> User | None:
        email = row.raw("owner_email").strip().lower()
        if is_blank(email):
            return None
        if email not in owners:
            row.refuse("owner_email", "No active user has this address: add the person, or correct it.")
        return owners.get(email)

    def _domain(self, row: Cells, taken: dict[str, str]) -> str:
        domain = website_domain(row.raw("domain"))
        if is_blank(domain):
            return ""
        if "." not in domain or len(domain) > 190 or any(char.isspace() for char in domain):
            row.refuse("domain", "Write the mail domain as example.com.")
        elif taken.get(domain, row.ref) != row.ref:
            row.refuse("domain", f"This domain belongs to the account {taken[domain]}: a domain has one account.")
        return domain

    def _check_parent(self, row: Cells) -> None:
        parent = row.raw("parent").strip()
        if is_blank(parent):
            return
        if parent == row.raw("external_id").strip():
            row.refuse("parent", "An account cannot be its own parent.")
        elif parent.lower() not in self.parents:
            row.refuse(
                "parent", f"There is no account {parent[:80]} in this file or in the desk: add it, or empty the cell."
            )


class SubscriptionPlanner(Planner[Subscription]):
    """Subscriptions: matched by source and external id; the account must exist."""

    def __init__(self, run: ImportRun, reading: Reading) -> None:
        super().__init__(run, reading)
        self.today: date = now().date()

    def plan(self, rows: Sequence[Cells]) -> Outcome[Subscription]:
        """Create, update or leave alone."""
        outcome = Outcome[Subscription]()
        accounts = self._accounts(row.raw("account_external_id").strip() for row in rows)
        found = Subscription.objects.filter(
            source=self.run.source, external_id__in={row.raw("external_id").strip() for row in rows}
        )
        existing = {contract.external_id: contract for contract in found}
        for row in rows:
            values = subscription_values(row)
            account = _account_of(row, accounts, self.run.source)
            contract = existing.get(str(values["external_id"])) or Subscription(
                source=self.run.source, currency=self.run.default_currency or (account.currency if account else "USD")
            )
            row.check_decimals(str(values.get("currency") or contract.currency))
            if row.problems or account is None:
                outcome.problems += row.problems
                continue
            held_by = contract.account_id or account.pk
            if changed := _assign(contract, {**values, "account": account}):
                outcome.touched |= {account.pk, held_by}
            outcome.sort_in(contract, bool(changed))
        return outcome

    def write(self, outcome: Outcome[Subscription]) -> None:
        """Contracts, then ARR and renewal of their accounts."""
        before = contracts.terms_of(outcome.touched, self.today)
        Subscription.objects.bulk_create(outcome.create)
        if outcome.update:
            Subscription.objects.bulk_update(outcome.update, SUBSCRIPTION_FIELDS, batch_size=contracts.BATCH)
        contracts.fill(account_ids=outcome.touched, before=before, by=self.run.by, today=self.today)


class ContactPlanner(Planner[Contact]):
    """Contacts: matched by e-mail address."""

    key = "email"
    ignore_case = True

    def plan(self, rows: Sequence[Cells]) -> Outcome[Contact]:
        """Create, update or leave unchanged; an import never moves a person to another company."""
        outcome = Outcome[Contact]()
        accounts = self._accounts(row.raw("account_external_id").strip() for row in rows)
        emails = {row.raw("email").strip().lower() for row in rows}
        existing = {person.email.lower(): person for person in Contact.objects.filter(email__in=emails)}
        for row in rows:
            values = contact_values(row)
            account = _account_of(row, accounts, self.run.source)
            email = str(values["email"])
            person = existing.get(email) or Contact()
            _check_person(row, email, person, account)
            if row.problems or account is None:
                outcome.problems += row.problems
                continue
            outcome.sort_in(person, bool(_assign(person, {**values, "account": account})))
        return outcome

    def write(self, outcome: Outcome[Contact]) -> None:
        """Contacts with their history; their accounts are found by them."""
        _save(Contact, outcome, ["name", "title"], self.run)
        index.write(AccountWords, [person.account_id for person in (*outcome.create, *outcome.update)])


ACCOUNT_FIELDS = [
    *("name", "kind", "segment", "industry", "country", "region", "currency", "arr", "renewal_date", "health"),
    *("health_outside", "strategic", "status", "csm", "changed_at"),
]
SUBSCRIPTION_FIELDS = ["account", "plan", "start_date", "end_date", "arr", "auto_renew", "currency"]


def _save(model: type[Record], outcome: Outcome[Record], fields: list[str], run: ImportRun) -> None:
    for record in outcome.update:
        setattr(record, "changed_at", now())  # noqa: B010 - both models have it, their common base does not
    if outcome.create:
        bulk_create_with_history(outcome.create, model, batch_size=contracts.BATCH, default_user=run.by)
    if outcome.update:
        bulk_update_with_history(outcome.update, model, fields, batch_size=contracts.BATCH, default_user=run.by)


def _assign(record: Model, values: Mapping[str, object]) -> list[str]:
    """Set the values on the record; returns the names of those that differed."""
    different = [name for name, value in values.items() if _now(record, name) != value]
    for name in different:
        setattr(record, name, values[name])
    return different


def _now(record: Model, name: str) -> object:
    """The current value; None for a relation that is not set yet."""
    field = record._meta.get_field(name)
    is_unset = isinstance(field, Field) and getattr(record, field.attname) is None
    return None if is_unset else getattr(record, name)


def _account_of(row: Cells, accounts: dict[str, Account], source: str) -> Account | None:
    ident = row.text("account_external_id", 120, required="Enter the id of the account.")
    if ident and ident not in accounts:
        row.refuse("account_external_id", f"No account {ident} from {source}: import the account first.")
    return accounts.get(ident or "")


def _check_person(row: Cells, email: str, person: Contact, account: Account | None) -> None:
    try:
        validate_email(email)
    except ValidationError:
        if email:
            row.refuse("email", "Write the address as name@example.com.")
    if person.pk and account and person.account_id != account.pk:
        row.refuse("email", "This person is a contact of another account: change that one by hand.")


def _users(emails: Iterable[str]) -> dict[str, User]:
    wanted = {email.strip().lower() for email in emails if "@" in email}
    found = User.objects.filter(email__in=wanted, is_active=True).exclude(pk__in=User.objects.external())
    return {user.email.lower(): user for user in found}


def _domains(domains: Iterable[str]) -> dict[str, str]:
    wanted = {domain for domain in domains if domain}
    found = AccountDomain.objects.filter(domain__in=wanted)
    return dict(found.values_list("domain", "account__external_id")) if wanted else {}

"""Files on their way in: staged, checked, applied; every row whole or absent; twice gives the same."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.imports import plans as import_plans
from accounts.imports import runs as imports
from accounts.models import Account, AccountDomain, Contact, ExchangeRate, ImportRun, Subscription, User
from ledger.errors import AlreadyDone, Invalid, NotAllowed
from ledger.now import now
from tests.support.cast import Cast

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shipped"), pytest.mark.both_databases]
ACCOUNTS = (
    b"account_id,name,arr,currency,renewal_date\nA-1,Alder,1000,USD,2027-03-01\nA-2,Birch,2000.50,EUR,2027-04-01\n"
)


def load(text: str | bytes, **options: Any) -> ImportRun:
    """Stage and apply."""
    data = text.encode() if isinstance(text, str) else text
    options = {"filename": "file.csv", "default_currency": "USD", **options}
    return imports.apply(run=imports.stage(data=data, **{"source": "crm", **options}))


def counts(run: ImportRun) -> tuple[int, int, int]:
    """Created, updated, unchanged."""
    return run.created, run.updated, run.unchanged


def reasons(run: ImportRun) -> list[tuple[int, str, str]]:
    """Row, column and value of each problem."""
    return list(run.problems.values_list("row", "column", "value"))


def test_staging_writes_no_account() -> None:
    run = imports.stage(source="crm", data=ACCOUNTS, filename="a.csv")
    assert (run.state, run.kind, run.total) == ("staged", "accounts", 2)
    assert not Account.objects.exists()


def test_accounts_come_in_and_a_second_time_nothing_changes() -> None:
    assert counts(load(ACCOUNTS)) == (2, 0, 0)
    birch = Account.objects.get(external_id="A-2")
    assert (birch.name, birch.arr, birch.currency, birch.renewal_date) == (
        "Birch",
        Decimal("2000.50"),
        "EUR",
        date(2027, 4, 1),
    )
    assert counts(load(ACCOUNTS)) == (0, 0, 2)
    assert Account.objects.count() == 2
    assert birch.history.count() == 1


def test_a_changed_row_updates_its_account_and_keeps_the_history() -> None:
    load(ACCOUNTS)
    run = load(ACCOUNTS.replace(b"Birch,2000.50", b"Birch AG,3000"))
    assert counts(run) == (0, 1, 1)
    birch = Account.objects.get(external_id="A-2")
    assert (birch.name, birch.arr) == ("Birch AG", Decimal(3000))
    assert list(birch.history.values_list("name", flat=True)) == ["Birch AG", "Birch"]


def test_a_blank_cell_keeps_what_was_known() -> None:
    load(ACCOUNTS)
    load(b"account_id,name,arr,currency,renewal_date\nA-1,Alder,,,\n")
    assert Account.objects.get(external_id="A-1").arr == Decimal(1000)


def test_the_same_id_from_another_source_is_another_account() -> None:
    load(ACCOUNTS)
    assert counts(load(ACCOUNTS, source="billing")) == (2, 0, 0)


def test_bad_rows_are_listed_with_row_column_value_and_good_ones_are_in() -> None:
    run = load(
        "id,name,arr,renewal_date,currency\n"
        "1,Good,100,2027-01-01,USD\n"
        ",No id,100,2027-01-01,USD\n"
        "3,Bad date,100,2027-02-30,USD\n"
        "4,Bad money,12x,2027-01-01,USD\n"
        "5,Bad currency,100,2027-01-01,XYZ\n"
        "6,Below zero,-5,2027-01-01,USD\n"
        "7,,100,2027-01-01,USD\n"
        "8,Also good,,,EUR\n",
        columns={
            "external_id": "id",
            "name": "name",
            "arr": "arr",
            "renewal_date": "renewal_date",
            "currency": "currency",
        },
    )
    assert set(Account.objects.values_list("name", flat=True)) == {"Good", "Also good"}
    assert reasons(run) == [
        (3, "id", ""),
        (4, "renewal_date", "2027-02-30"),
        (5, "arr", "12x"),
        (6, "currency", "XYZ"),
        (7, "arr", "-5"),
        (8, "name", ""),
    ]
    assert all(problem.reason.endswith(".") for problem in run.problems.all())


@pytest.mark.parametrize(
    ("options", "row", "column"),
    [
        ({"default_currency": "JPY"}, "id,name,arr\n1,Kyoto,1200.5\n", "arr"),
        ({}, "id,name,mrr,currency\n1,Kyoto,100.5,JPY\n", "mrr"),
        ({}, "id,name,arr,currency\n1,Salmiya,1.2345,KWD\n", "arr"),
        ({}, "id,name,arr,currency\n1,Bonn,1.0051,EUR\n", "arr"),
    ],
)
def test_an_amount_with_more_decimals_than_its_currency_is_a_problem(
    options: dict[str, str], row: str, column: str
) -> None:
    for code in ("JPY", "KWD"):
        ExchangeRate.objects.get_or_create(currency=code, on="2020-01-01", defaults={"usd": 1})
    assert [problem[:2] for problem in reasons(load(row, **options))] == [(2, column)]
    assert not Account.objects.exists()


def test_a_known_currency_without_a_rate_is_a_problem_not_a_guess() -> None:
    run = load("id,name,arr,currency\n1,Kuwaiti,5,KWD\n")
    assert reasons(run) == [(2, "currency", "KWD")]
    assert "exchange rate" in run.problems.get().reason


def test_the_second_row_of_an_id_is_a_problem_that_names_the_first() -> None:
    run = load("id,name\n1,First\n2,Other\n1,Second\n")
    assert reasons(run) == [(4, "id", "1")]
    assert "row 2" in run.problems.get().reason
    assert Account.objects.get(external_id="1").name == "First"


def test_owners_must_be_active_users(shipped: None) -> None:
    owner = User.objects.create_user("csm@desk.example", name="C")
    run = load("id,name,csm_email\n1,A,CSM@desk.example\n2,B,nobody@desk.example\n")
    assert Account.objects.get().csm == owner
    assert reasons(run) == [(3, "csm_email", "nobody@desk.example")]


def test_a_mail_domain_belongs_to_one_account() -> None:
    run = load("id,name,website\n1,A,https://www.alder.example/home\n2,B,alder.example\n3,C,birch.example\n")
    assert dict(AccountDomain.objects.values_list("domain", "account__external_id")) == {
        "alder.example": "1",
        "birch.example": "3",
    }
    assert reasons(run) == [(3, "website", "alder.example")]
    assert counts(load("id,name,website\n1,A,alder.example\n3,C,birch.example\n")) == (0, 0, 2)


def test_parents_are_found_by_id_or_name_even_when_they_come_later() -> None:
    run = load("id,name,parent\n1,Child,Mother Inc\n2,Mother Inc,\n3,Grandchild,1\n4,Orphan,Nobody\n5,Self,5\n")
    parents = dict(Account.objects.values_list("name", "parent__name"))
    assert parents == {"Child": "Mother Inc", "Mother Inc": None, "Grandchild": "Child"}
    assert [row for row, _, _ in reasons(run)] == [5, 6]


def test_a_circle_of_parents_is_never_closed() -> None:
    load("id,name,parent\n1,A,2\n2,B,1\n")
    linked = [account.parent_id for account in Account.objects.all()]
    assert linked.count(None) == 1


def test_a_churn_flag_marks_the_account() -> None:
    load("account_id,name,churn_flag\n1,Gone,TRUE\n2,Here,FALSE\n")
    assert dict(Account.objects.values_list("name", "status")) == {"Gone": "churned", "Here": "active"}


SUBSCRIPTIONS = (
    "subscription_id,account_id,plan,start_date,end_date,arr,auto_renew\n"
    "S-1,A-1,Pro,2024-05-10,,600,TRUE\nS-2,A-1,Basic,2023-01-01,2023-12-31,999,FALSE\nS-3,A-1,Pro,2024-01-01,,400.50,\n"
)
BARE = "account_id,name\nA-1,Alder\n"


def test_subscriptions_of_unknown_accounts_are_problems_that_name_the_account() -> None:
    run = load(SUBSCRIPTIONS)
    assert (run.kind, run.created) == ("subscriptions", 0)
    assert reasons(run)[0] == (2, "account_id", "A-1")
    assert "A-1" in run.problems.first().reason


def test_running_contracts_give_the_account_its_arr_and_next_renewal() -> None:
    load(BARE)
    assert counts(load(SUBSCRIPTIONS)) == (3, 0, 0)
    account = Account.objects.get()
    assert account.arr == Decimal("1000.50")
    assert account.renewal_date is not None
    assert (account.renewal_date.month, account.renewal_date.day) == (5, 10)
    assert timedelta(0) <= account.renewal_date - now().date() <= timedelta(days=366)


def test_contracts_imported_again_change_nothing_and_a_changed_one_moves_the_arr() -> None:
    load(BARE)
    load(SUBSCRIPTIONS)
    assert counts(load(SUBSCRIPTIONS)) == (0, 0, 3)
    assert counts(load(SUBSCRIPTIONS.replace("400.50", "1400.50"))) == (0, 1, 2)
    assert Account.objects.get().arr == Decimal("2000.50")
    assert Subscription.objects.count() == 3


def test_a_column_named_arr_is_read_even_when_most_of_its_cells_are_bad() -> None:
    run = load("id,name,arr,renewal_date\n1,A,x,soon\n2,B,y,2027-01-01\n3,C,5,2027-01-01\n")
    assert [(row, column) for row, column, _ in reasons(run)] == [(2, "arr"), (2, "renewal_date"), (3, "arr")]


def test_what_the_accounts_file_said_is_not_replaced_by_the_contracts() -> None:
    load("account_id,name,arr,renewal_date,currency\nA-1,Alder,5000,2030-01-01,USD\n")
    load(SUBSCRIPTIONS)
    account = Account.objects.get()
    assert (account.arr, account.renewal_date) == (Decimal(5000), date(2030, 1, 1))


def test_a_contract_that_ends_before_it_starts_is_a_problem() -> None:
    load(BARE)
    run = load("subscription_id,account_id,start_date,end_date,arr\nS-1,A-1,2024-05-10,2024-05-09,1\n")
    assert reasons(run) == [(2, "end_date", "2024-05-09")]


def test_monthly_amounts_become_arr() -> None:
    load("customerID,MonthlyCharges\nX,29.85\n")
    assert Account.objects.get().arr == Decimal("358.20")


CONTACTS = (
    "account_id,first_name,last_name,email,title\n"
    "A-1,Jo,Thiel,Jo@Alder.example,CFO\nA-1,,,bad,\nA-9,Al,Bo,al@x.example,\n"
)


def test_contacts_are_matched_by_address_and_bad_ones_named() -> None:
    load(BARE)
    run = load(CONTACTS)
    person = Contact.objects.get()
    assert (person.name, person.email, person.title) == ("Jo Thiel", "jo@alder.example", "CFO")
    assert {(row, column) for row, column, _ in reasons(run)} == {(3, "last_name"), (3, "email"), (4, "account_id")}
    assert load(CONTACTS.replace("CFO", "CEO")).updated == 1
    person.refresh_from_db()
    assert person.title == "CEO"


def test_a_contact_never_changes_company_by_import() -> None:
    load("account_id,name\nA-1,Alder\nA-2,Birch\n")
    load(CONTACTS)
    run = load("account_id,full_name,email\nA-2,Jo Thiel,jo@alder.example\n", kind="contacts")
    assert reasons(run) == [(2, "email", "jo@alder.example")]
    assert Contact.objects.get().account.external_id == "A-1"


def test_a_saved_mapping_is_taken_for_the_next_file_with_the_same_header() -> None:
    odd = b"Kundennr,Firma,Wert\n1,Alder,100\n"
    columns = {"external_id": "Kundennr", "name": "Firma", "arr": "Wert"}
    run = imports.stage(
        source="crm", data=odd, filename="a.csv", kind="accounts", columns=columns, default_currency="EUR"
    )
    imports.save_mapping(run=run, name="ERP weekly")
    again = imports.stage(source="crm", data=odd, filename="b.csv", kind="accounts")
    assert (again.columns, again.default_currency) == (columns, "EUR")


def test_a_file_without_a_currency_column_asks_for_one() -> None:
    run = imports.stage(source="crm", data=b"id,name,arr\n1,A,5\n", filename="a.csv")
    assert imports.needs_currency(run)
    assert not imports.needs_currency(imports.configure(run=run, columns=run.columns, default_currency="EUR"))


@pytest.mark.parametrize(
    ("data", "field"),
    [
        (b"", "file"),
        (b"\n\n", "file"),
        (b"id,name\n", "file"),
        (b"PK\x03\x04zip", "file"),
        (b"x" * (imports.LARGEST_FILE + 1), "file"),
        (b"c," * 1_000_000 + b"c\n1\n", "file"),
        (b"colour,weight\nred,5\n", "kind"),
        (b"ticket_id,account_id,priority\n1,2,3\n", "kind"),
    ],
)
def test_what_is_no_table_of_ours_is_refused_in_words(data: bytes, field: str) -> None:
    with pytest.raises(Invalid) as refusal:
        imports.stage(source="crm", data=data, filename="x.csv")
    assert refusal.value.field == field
    assert not ImportRun.objects.exists()


def test_an_unknown_column_field_or_currency_is_refused() -> None:
    for change in ({"columns": {"external_id": "nope"}}, {"columns": {"shoe": "id"}}, {"default_currency": "XYZ"}):
        with pytest.raises(Invalid):
            imports.stage(source="crm", data=b"id,name\n1,A\n", filename="x.csv", **change)


def test_a_file_whose_columns_are_not_matched_is_not_applied() -> None:
    run = imports.stage(
        source="crm", data=b"id,colour\n1,red\n", filename="x.csv", kind="accounts", columns={"external_id": "id"}
    )
    assert imports.missing_fields(run) == ["name"]
    with pytest.raises(Invalid, match="name"):
        imports.apply(run=run)


def test_only_operations_may_stage(cast: Cast) -> None:
    with pytest.raises(NotAllowed):
        imports.stage(source="crm", data=ACCOUNTS, filename="a.csv", by=cast.director)
    assert imports.stage(source="crm", data=ACCOUNTS, filename="a.csv", by=cast.ops).by == cast.ops


def test_checking_says_what_would_happen_and_writes_nothing() -> None:
    load(ACCOUNTS)
    text = ACCOUNTS.replace(b"Alder", b"Alder AG") + b"A-3,New,1,USD,\nA-4,Bad,x,USD,\n"
    found = imports.check(run=imports.stage(source="crm", data=text, filename="b.csv"))
    assert (found.created, found.updated, found.unchanged, found.bad_rows) == (1, 1, 1, 1)
    assert Account.objects.count() == 2
    assert Account.objects.get(external_id="A-1").name == "Alder"


def many(rows: int) -> str:
    """A file of that many accounts."""
    return "id,name\n" + "".join(f"{n},Account {n}\n" for n in range(rows))


def test_a_finished_import_is_not_applied_again() -> None:
    run = load(ACCOUNTS)
    with pytest.raises(AlreadyDone):
        imports.apply(run=run)


def test_an_import_that_broke_off_goes_on_where_it_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    run = imports.stage(source="crm", data=(many(250) + "3,Twice\n").encode(), filename="a.csv", default_currency="USD")

    def break_off(done: int, total: int) -> None:
        if done == 100:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        imports.apply(run=run, on_progress=break_off)
    run.refresh_from_db()
    assert (run.state, run.applied, Account.objects.count()) == ("running", 100, 100)
    run = imports.apply(run=run)
    assert (run.state, run.applied, counts(run)) == ("done", 251, (250, 0, 0))
    assert "row 5" in run.problems.get().reason
    assert Account.objects.count() == 250


def test_a_stopped_import_keeps_what_is_in_and_can_go_on() -> None:
    run = imports.stage(source="crm", data=many(300).encode(), filename="a.csv", default_currency="USD")
    stopped = imports.apply(run=run, on_progress=lambda done, total: imports.stop(run=run) and None)
    assert (stopped.state, Account.objects.count()) == ("stopped", 100)
    assert imports.apply(run=run).created == 300


def test_a_second_worker_on_the_same_import_writes_nothing_twice() -> None:
    run = imports.stage(source="crm", data=many(200).encode(), filename="a.csv", default_currency="USD")

    def meanwhile(done: int, total: int) -> None:
        if done == 100:
            imports.apply(run=ImportRun.objects.get(pk=run.pk))

    imports.apply(run=run, on_progress=meanwhile)
    fresh = ImportRun.objects.get(pk=run.pk)
    assert (fresh.state, fresh.applied, fresh.created, Account.objects.count()) == ("done", 200, 200, 200)


def test_when_the_database_refuses_a_batch_only_the_guilty_row_stays_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def careless(cells: Any, name: str, most: int, *, required: str = "") -> str | None:
        return cells.raw(name).strip() or None

    monkeypatch.setattr(import_plans.Cells, "text", careless)
    monkeypatch.setattr(import_plans.Cells, "word", lambda cells, name, words: None)
    load("id,name,health\n1,A,\n2,B,\n")
    monkeypatch.setattr("accounts.imports.cells._health", lambda cells: 101 if cells.ref == "4" else 5)
    run = load("id,name,health\n3,C,5\n4,D,5\n5,E,5\n")
    assert set(Account.objects.values_list("external_id", flat=True)) == {"1", "2", "3", "5"}
    assert (run.created, run.applied, [row for row, _, _ in reasons(run)]) == (2, 3, [3])


def test_the_number_of_queries_depends_on_batches_not_on_rows() -> None:
    def queries(rows: int) -> int:
        run = imports.stage(data=many(rows).encode(), filename="a.csv", default_currency="USD", source=f"s{rows}")
        with CaptureQueriesContext(connection) as captured:
            imports.apply(run=run)
        return len(captured)

    # A database takes so many values in one statement: 90 rows may need a few statements more, never one for each row.
    assert queries(90) <= queries(3) + 6

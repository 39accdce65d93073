"""Which column is which field, on small tables of our own and on the shared real ones."""

import json
from decimal import Decimal
from pathlib import Path

import pytest

from accounts.imports.rules import detect_kind, parse_date, parse_money, read_rows, suggest_mapping


def suggested(content: str) -> dict[str, str]:
    headers, rows = read_rows(content.encode())
    return suggest_mapping(headers, (row.values for row in rows))


def test_names_are_compared_without_case_spaces_and_marks():
    mapping = suggested(
        "Account ID,Account Name,ARR (USD),Renewal Date,Owner e-mail\nA,Acme,5,2026-01-01,a@b.example\n"
    )
    assert mapping == {
        "external_id": "Account ID",
        "name": "Account Name",
        "arr": "ARR (USD)",
        "renewal_date": "Renewal Date",
        "owner_email": "Owner e-mail",
    }


def test_a_column_whose_values_make_no_sense_is_not_suggested():
    mapping = suggested("id,name,arr,health,currency,owner,kind\n1,Acme,lots,good,coins,Dana,Basic\n")
    assert mapping == {"external_id": "id", "name": "name"}


def test_one_account_column_serves_as_id_and_name():
    assert suggested("account,sector\nAcme,retail\n") == {
        "external_id": "account",
        "name": "account",
        "industry": "sector",
    }


def test_the_revenue_of_a_company_is_not_our_arr():
    assert "arr" not in suggested("account,revenue\nAcme,1100.04\n")


@pytest.mark.parametrize(
    ("headers", "kind"),
    [
        ("account_id,account_name", "accounts"),
        ("customerID,MonthlyCharges", "accounts"),
        ("Supplier ID,Supplier name", "accounts"),
        ("subscription_id,account_id,arr", "subscriptions"),
        ("account,plan,start_date", "subscriptions"),
        ("first name,last name,e-mail,company", "contacts"),
        ("ticket_id,account_id", None),
        ("opportunity_id,account", None),
        ("product,price", None),
        ("", None),
    ],
)
def test_the_kind_of_a_table_shows_in_its_headers(headers: str, kind: str | None):
    assert detect_kind(headers.split(",")) == kind


def test_contacts_are_mapped_too():
    mapping = suggested("First name,Last name,E-mail,Company\nDana,Ray,d@r.example,Acme\n")
    assert mapping["email"] == "E-mail"
    assert mapping["account_external_id"] == "Company"


@pytest.mark.parametrize(
    ("file", "kind", "expected"),
    [
        ("ravenstack_accounts.csv", "accounts", {"external_id": "account_id", "name": "account_name"}),
        ("ravenstack_subscriptions.csv", "subscriptions", {"account_external_id": "account_id", "arr": "arr_amount"}),
        ("telco_customer_churn.csv", "accounts", {"external_id": "customerID", "name": "customerID"}),
        ("maven_crm_accounts.csv", "accounts", {"name": "account", "parent": "subsidiary_of"}),
        ("maven_crm_sales_pipeline.csv", None, {}),
        ("maven_crm_products.csv", None, {}),
        ("maven_crm_sales_teams.csv", None, {}),
        ("ravenstack_support_tickets.csv", None, {}),
        ("ravenstack_churn_events.csv", None, {}),
    ],
)
def test_the_shared_files_are_recognised(real_data: Path, file: str, kind: str | None, expected: dict[str, str]):
    headers, rows = read_rows((real_data / "3_accounts" / file).read_bytes())
    listed = list(rows)
    assert not [row for row in listed if row.problem]
    assert detect_kind(headers) == kind
    mapping = suggest_mapping(headers, (row.values for row in listed))
    assert expected.items() <= mapping.items()
    assert "kind" not in mapping


def test_the_arr_of_subscriptions_without_an_end_date_sums_to_the_known_figure(real_data: Path):
    headers, rows = read_rows((real_data / "3_accounts" / "ravenstack_subscriptions.csv").read_bytes())
    truth = json.loads((real_data / "1_incidents" / "truth_figures.json").read_text())["ravenstack"]
    listed = [row.values for row in rows]
    columns = suggest_mapping(headers, listed)
    active = [row for row in listed if parse_date(row[columns["end_date"]]) is None]
    assert len(listed) == truth["subscriptions"]
    assert sum(parse_money(row[columns["arr"]]) or 0 for row in active) == Decimal(truth["arr_sum_active"])

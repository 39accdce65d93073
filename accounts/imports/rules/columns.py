"""Guesses the field of each column from its name and its first values."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Literal

from accounts.imports.rules.cells import is_blank, parse_bool, parse_currency, parse_date, parse_money

Kind = Literal["accounts", "subscriptions", "contacts"]

# Names are compared in lower case without spaces and marks; earlier names fit better.
_ACCOUNT_ID = "accountid customerid clientid companyid organizationid organisationid orgid accountnumber customernumber"
_ACCOUNT_FIELDS = {
    "external_id": f"externalid {_ACCOUNT_ID} crmid supplierid vendorid partnerid id account customer client company",
    "name": "name accountname companyname customername clientname organization organisation suppliername vendorname "
    "account company customer client supplier vendor",
    "kind": "kind accountkind relationship accounttype type",
    "segment": "segment customersegment accountsegment marketsegment size companysize",
    "industry": "industry sector vertical branch",
    "country": "country countrycode officelocation location nation billingcountry",
    "region": "region salesregion territory geo regionaloffice",
    "currency": "currency currencycode currencyiso isocurrency",
    "arr": "arr arramount annualrecurringrevenue arrusd arreur arrgbp totalarr currentarr acv annualcontractvalue",
    "mrr": "mrr mrramount monthlyrecurringrevenue monthlycharges monthlycharge monthlyfee",
    "renewal_date": "renewaldate renewal renewson nextrenewal nextrenewaldate contractenddate contractend enddate "
    "renewalon contractexpiry expirydate",
    "health": "health healthscore accounthealth customerhealth",
    "domain": "domain emaildomain website webdomain url",
    "owner_email": "owneremail owner accountowner csmemail csm accountmanager accountmanageremail accountexecutive",
    "parent": "parent parentaccount parentid parentaccountid parentcompany subsidiaryof",
    "strategic": "strategic isstrategic strategicaccount strategicflag keyaccount vip isvip",
    "status": "status accountstatus customerstatus lifecyclestage",
}
_SUBSCRIPTION_FIELDS = {
    "external_id": "subscriptionid contractid agreementid externalid renewalid id",
    "account_external_id": f"{_ACCOUNT_ID} accountexternalid account customer client company",
    "plan": "plan plantier planname product productname tier package subscriptionplan",
    "start_date": "startdate start subscriptionstart contractstart startedat validfrom begindate",
    "end_date": "enddate end subscriptionend contractend endedat validto canceldate expirydate renewaldate",
    "arr": _ACCOUNT_FIELDS["arr"],
    "mrr": _ACCOUNT_FIELDS["mrr"],
    "currency": _ACCOUNT_FIELDS["currency"],
    "auto_renew": "autorenew autorenewflag autorenewal isautorenew renewsautomatically",
}
_CONTACT_FIELDS = {
    "external_id": "contactid externalid personid id",
    "account_external_id": f"{_ACCOUNT_ID} accountexternalid account company customer client",
    "name": "fullname name contactname contact",
    "first_name": "firstname givenname forename",
    "last_name": "lastname surname familyname",
    "email": "email emailaddress mail contactemail",
    "phone": "phone phonenumber telephone mobile",
    "role": "role title jobtitle position",
}
FIELDS: Mapping[Kind, Mapping[str, Sequence[str]]] = {
    "accounts": {field: names.split() for field, names in _ACCOUNT_FIELDS.items()},
    "subscriptions": {field: names.split() for field, names in _SUBSCRIPTION_FIELDS.items()},
    "contacts": {field: names.split() for field, names in _CONTACT_FIELDS.items()},
}
# Ids of other records that also name an account: the desk cannot import such a file.
OTHER_RECORDS = ("ticket", "opportunity", "event", "order", "invoice", "case", "incident", "deal", "lead", "product")
ACCOUNT_KINDS = frozenset(("customer", "supplier", "vendor", "partner", "client", "prospect"))
SAMPLE = 50  # values checked in each column
GOOD_SHARE = 0.8  # this share of them must be valid in the field


def detect_kind(headers: Iterable[str]) -> Kind | None:
    """The kind of table with these headers; None if it is not accounts, subscriptions or contacts."""
    names = {_plain(header) for header in headers}
    if any(name.endswith(f"{record}id") for name in names for record in OTHER_RECORDS):
        return None
    has_account = bool(names & set(FIELDS["subscriptions"]["account_external_id"]))
    if {"subscriptionid", "contractid"} & names or (
        has_account
        and names & set(FIELDS["subscriptions"]["start_date"])
        and names & {"plan", "plantier", "mrr", "arr"}
    ):
        return "subscriptions"
    is_person = names & {"firstname", "lastname", "surname", "fullname", "contactid", "contactname", "jobtitle"}
    if is_person and names & set(FIELDS["contacts"]["email"]):
        return "contacts"
    is_account = names & (
        {*_ACCOUNT_ID.split(), *FIELDS["accounts"]["name"]} | {"externalid", "supplierid", "vendorid"}
    )
    return "accounts" if is_account else None


def suggest_mapping(
    headers: Sequence[str], sample_rows: Iterable[Mapping[str, str]], kind: Kind | None = None
) -> dict[str, str]:
    """Field → header for the fields with a matching column. `kind` is detected from the headers unless given. A column
    whose first values are not valid in the field is not suggested. One column may be both id and name. A company's
    revenue is never used as our ARR.
    """
    kind = kind or detect_kind(headers)
    if kind is None:
        return {}
    samples = [row for row, _ in zip(sample_rows, range(SAMPLE), strict=False)]
    mapping: dict[str, str] = {}
    for field, names in FIELDS[kind].items():
        header = _best(field, names, headers, samples, set() if field == "name" else set(mapping.values()))
        if header:
            mapping[field] = header
    return _with_name(kind, mapping)


def _best(
    field: str, names: Sequence[str], headers: Sequence[str], samples: Sequence[Mapping[str, str]], taken: set[str]
) -> str | None:
    by_name = {_plain(header): header for header in reversed(headers) if header not in taken}
    found = (by_name[name] for name in names if name in by_name)
    return next((header for header in found if _fits(field, [row.get(header, "") for row in samples])), None)


def _with_name(kind: Kind, mapping: dict[str, str]) -> dict[str, str]:
    """An account needs a name: without a column for it, the id is the name."""
    if kind == "accounts" and "external_id" in mapping:
        mapping.setdefault("name", mapping["external_id"])
    return mapping


def _fits(field: str, values: Iterable[str]) -> bool:
    filled = [value for value in values if not is_blank(value)]
    check = CHECKS.get(field)
    if check is None or not filled:
        return True
    return sum(_passes(check, value) for value in filled) >= GOOD_SHARE * len(filled)


def _passes(check: Callable[[str], object], value: str) -> bool:
    try:
        return check(value) is not False
    except ValueError:
        return False


def _is_health(value: str) -> bool:
    amount = parse_money(value)
    return amount is not None and 0 <= amount <= 100


def _is_yes_or_no(value: str) -> bool:
    return parse_bool(value) is not None


CHECKS: Mapping[str, Callable[[str], object]] = {
    "arr": lambda value: parse_money(value, "."),
    "mrr": lambda value: parse_money(value, "."),
    "currency": parse_currency,
    "renewal_date": parse_date,
    "start_date": parse_date,
    "end_date": parse_date,
    "health": _is_health,
    "strategic": _is_yes_or_no,
    "auto_renew": _is_yes_or_no,
    "owner_email": lambda value: "@" in value,
    "email": lambda value: "@" in value,
    "domain": lambda value: "." in value,
    "kind": lambda value: value.strip().lower() in ACCOUNT_KINDS,
}


def _plain(header: str) -> str:
    return re.sub(r"[^a-z0-9]", "", header.lower())

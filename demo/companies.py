"""The demo's companies with their contacts and contracts."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from accounts.customers.accounts import announce
from accounts.models import Account, AccountDomain, AccountWords, Contact, Subscription, User
from ledger.search import index

DEMO = "demo"
KNOWN_DAYS = 400  # how long they have been customers


class Company(NamedTuple):
    """Name, ARR in thousands, currency, health, days to renewal, segment, industry, country, region, CSM, AE, strategic."""

    name: str
    arr: int
    currency: str
    health: int
    renewal: int
    segment: str
    industry: str
    country: str
    region: str
    csm: str
    ae: str
    strategic: bool = False
    kind: str = Account.CUSTOMER


ENT, MID, SMB = "Enterprise", "Mid-market", "Small business"
NA, EU = "Americas", "EMEA"
US, DE, UK = "US", "DE", "GB"

COMPANIES = (
    Company("Northwind Logistics", 180, "USD", 62, 34, ENT, "Logistics", US, NA, "priya", "marcus"),
    Company("Solent Retail", 240, "GBP", 55, 41, ENT, "Retail", UK, EU, "amelie", "oskar"),
    Company("Harbor Health", 310, "USD", 48, 58, ENT, "Health care", US, NA, "priya", "marcus", True),
    Company("Kestrel Bank", 182, "USD", 66, 121, ENT, "Banking", US, NA, "priya", "marcus"),
    Company("Alder & Co", 96, "USD", 51, 19, MID, "Consulting", US, NA, "diego", "chloe"),
    Company("Vantage Robotics", 320, "USD", 71, 88, ENT, "Manufacturing", US, NA, "priya", "marcus"),
    Company("Brightline Energy", 720, "USD", 29, 76, ENT, "Energy", US, NA, "priya", "marcus", True),
    Company("Meridian Foods", 410, "EUR", 74, 164, ENT, "Food", "NL", EU, "amelie", "oskar"),
    Company("Tallis Media", 128, "GBP", 68, 203, MID, "Media", UK, EU, "amelie", "oskar"),
    Company("Oakridge Schools", 75, "USD", 57, 47, MID, "Education", US, NA, "diego", "chloe"),
    Company("Fjord Shipping", 265, "EUR", 63, 12, ENT, "Shipping", "NO", EU, "amelie", "oskar"),
    Company("Cobalt Insurance", 540, "USD", 44, 95, ENT, "Insurance", US, NA, "priya", "marcus", True),
    Company("Linden Pharma", 388, "EUR", 36, 27, ENT, "Pharma", DE, EU, "amelie", "oskar", True),
    Company("Pinecrest Hotels", 64, "USD", 72, 66, MID, "Hospitality", US, NA, "diego", "chloe"),
    Company("Quarry Analytics", 38, "USD", 81, 140, SMB, "Software", US, NA, "diego", "chloe"),
    Company("Redwood Transit", 148, "USD", 59, -9, MID, "Transport", US, NA, "diego", "chloe"),
    Company("Sable Insurance Brokers", 52, "GBP", 77, 230, SMB, "Insurance", UK, EU, "amelie", "oskar"),
    Company("Tidewater Utilities", 295, "USD", 83, 180, ENT, "Utilities", US, NA, "priya", "marcus"),
    Company("Umber Fashion", 88, "EUR", 46, 53, MID, "Fashion", "IT", EU, "amelie", "oskar"),
    Company("Valley Credit Union", 112, "USD", 69, 98, MID, "Banking", US, NA, "diego", "chloe"),
    Company("Westfold Paper", 205, "EUR", 58, 73, ENT, "Paper", "SE", EU, "amelie", "oskar"),
    Company("Yarrow Biotech", 76, "USD", 86, 301, MID, "Biotech", US, NA, "diego", "chloe"),
    Company("Zephyr Airports", 460, "USD", 61, 110, ENT, "Aviation", US, NA, "priya", "marcus"),
    Company("Arbor Legal", 33, "USD", 79, 152, SMB, "Legal", US, NA, "diego", "chloe"),
    Company("Bluff Construction", 118, "USD", 53, -24, MID, "Construction", US, NA, "diego", "chloe"),
    Company("Cedar Grocers", 230, "USD", 75, 215, ENT, "Retail", US, NA, "priya", "marcus"),
    Company("Delta Optics", 92, "EUR", 70, 134, MID, "Optics", DE, EU, "amelie", "oskar"),
    Company("Elm Street Clinics", 57, "USD", 42, 38, MID, "Health care", US, NA, "diego", "chloe"),
    Company("Foundry Tools", 41, "EUR", 88, 260, SMB, "Tools", DE, EU, "amelie", "oskar"),
    Company("Granite Mutual", 275, "USD", 64, 84, ENT, "Insurance", US, NA, "priya", "marcus"),
    Company("Hollow Creek Farms", 29, "USD", 80, 190, SMB, "Farming", US, NA, "diego", "chloe"),
    Company("Ibis Travel", 102, "GBP", 49, 61, MID, "Travel", UK, EU, "amelie", "oskar"),
    Company("Juniper Games", 134, "USD", 73, 45, MID, "Games", US, NA, "diego", "chloe"),
    Company("Keystone Steel", 350, "USD", 67, 128, ENT, "Steel", US, NA, "priya", "marcus"),
    Company("Larkspur Beauty", 46, "EUR", 84, 277, SMB, "Cosmetics", "FR", EU, "amelie", "oskar"),
    Company("Mosaic Schools Trust", 83, "GBP", 60, 22, MID, "Education", UK, EU, "amelie", "oskar"),
    Company("Nimbus Couriers", 71, "USD", 76, 170, MID, "Logistics", US, NA, "diego", "chloe"),
    Company("Orchard Software", 155, "USD", 90, 320, MID, "Software", US, NA, "diego", "chloe"),
    Company("Prairie Rail", 610, "USD", 56, 57, ENT, "Rail", US, NA, "priya", "marcus", True),
    Company("Quill Publishing", 36, "EUR", 65, 8, SMB, "Publishing", "FR", EU, "amelie", "oskar"),
    Company("Stonebridge Parts", 0, "EUR", 0, 0, "", "Parts", DE, EU, "", "", kind=Account.SUPPLIER),
    Company("Copperline Hosting", 0, "USD", 0, 0, "", "Hosting", US, NA, "", "", kind=Account.SUPPLIER),
    Company("Lumen Translation", 0, "GBP", 0, 0, "", "Translation", UK, EU, "", "", kind=Account.SUPPLIER),
    Company("Sextant Partners", 0, "USD", 0, 0, "", "Consulting", US, NA, "", "", kind=Account.PARTNER),
    Company("Aurora Integrators", 0, "EUR", 0, 0, "", "Integration", "FI", EU, "", "", kind=Account.PARTNER),
)  # fmt: skip

NAMES = ("Jonas Thiel", "Carla Nunez", "Peter Hauge", "Ruth Adler", "Milan Petrov", "Wei Zhang", "Greta Olsen",
         "Samir Patel", "Laura Conti", "Owen Price", "Fatima Aziz", "Noah Klein", "Julia Stern", "Andre Dubois")  # fmt: skip
TITLES = ("Head of procurement", "COO", "IT director", "CFO", "Operations manager", "General counsel")
EXECUTIVE_TITLES = ("COO", "CFO", "General counsel")


def domain_of(name: str) -> str:
    """`northwind-logistics.example`."""
    return "-".join("".join(c if c.isalnum() else " " for c in name.lower()).split()) + ".example"


def make_accounts(people: dict[str, User], at: datetime) -> dict[str, Account]:
    """The companies by name, as they are today; cases and signals move their health."""
    accounts = {}
    for place, company in enumerate(COMPANIES):
        account = Account.objects.create(
            source=DEMO,
            external_id=f"D-{place + 1:03}",
            name=company.name,
            kind=company.kind,
            segment=company.segment,
            industry=company.industry,
            country=company.country,
            region=company.region,
            strategic=company.strategic,
            currency=company.currency,
            arr=Decimal(company.arr * 1000) if company.arr else None,
            renewal_date=(at + timedelta(days=company.renewal)).date() if company.arr else None,
            health=company.health or None,
            csm=people.get(company.csm),
            ae=people.get(company.ae),
        )
        AccountDomain.objects.create(account=account, domain=domain_of(company.name))
        accounts[company.name] = account
        _contacts(account, place)
        _subscriptions(account, place, at)
    index.write(AccountWords, [account.pk for account in accounts.values()])
    announce(list(accounts.values()))
    Account.objects.filter(source=DEMO).update(created_at=at - timedelta(days=KNOWN_DAYS))
    return accounts


def _contacts(account: Account, place: int) -> None:
    for nth in range(2):
        name, title = NAMES[(place * 2 + nth) % len(NAMES)], TITLES[(place + nth) % len(TITLES)]
        Contact.objects.create(
            account=account,
            name=name,
            title=title,
            email=f"{name.split()[0].lower()}.{name.split()[1].lower()}@{domain_of(account.name)}",
            executive=title in EXECUTIVE_TITLES,
        )


def _subscriptions(account: Account, place: int, at: datetime) -> None:
    """Two contract lines that add up to the ARR; the bigger one runs from renewal to renewal."""
    if not account.arr or not account.renewal_date:
        return
    small = (account.arr * 3 / 10).quantize(Decimal(1000))
    for nth, (plan, arr) in enumerate((("Platform", account.arr - small), ("Analytics add-on", small))):
        if arr > 0:
            Subscription.objects.create(
                source=DEMO,
                external_id=f"S-{place + 1:03}-{nth + 1}",
                account=account,
                plan=plan,
                start_date=account.renewal_date - timedelta(days=365 * (1 + nth)),
                arr=arr,
                currency=account.currency,
                auto_renew=nth == 1,
            )

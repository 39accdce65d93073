"""The database knows how its rows are spread."""

import pytest
from django.db import connection

from accounts.imports import runs as imports
from accounts.models import Account
from config.schedules import SCHEDULES
from config.tasks import renew_statistics
from ledger import statistics


def known(table: str) -> int:
    """How many rows the database believes a table to have; 0 without statistics."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SELECT greatest(reltuples, 0) FROM pg_class WHERE relname = %s", [table])
        else:
            cursor.execute("SELECT count(*) FROM sqlite_master WHERE name = 'sqlite_stat1'")
            if not cursor.fetchone()[0]:
                return 0
            cursor.execute("SELECT stat FROM sqlite_stat1 WHERE tbl = %s LIMIT 1", [table])
        row = cursor.fetchone()
    return int(str(row[0]).split()[0].split(".")[0]) if row else 0


@pytest.mark.both_databases
def test_renewing_counts_the_rows_of_a_table(db: None) -> None:
    Account.objects.bulk_create(Account(name=f"Account {number}", external_id=str(number)) for number in range(300))
    statistics.renew()
    assert known("accounts_account") == 300


def test_the_worker_renews_once_a_day(db: None) -> None:
    assert SCHEDULES["renew_statistics"] == ("config.tasks.renew_statistics", 24 * 60)
    Account.objects.create(name="One", external_id="1")
    renew_statistics()
    assert known("accounts_account") == 1


@pytest.mark.parametrize(("rows", "renewed"), [(10, False), (1000, True)])
def test_a_large_import_renews_the_statistics(cast: object, rows: int, renewed: bool) -> None:
    before = known("accounts_account")
    text = "id,name,renewal\n" + "".join(f"N-{number},New {number},2027-03-01\n" for number in range(rows))
    imports.apply(run=imports.stage(source="crm", data=text.encode(), filename="new.csv", default_currency="USD"))
    # An estimate from a sample.
    assert (known("accounts_account") > before + rows / 2) is renewed

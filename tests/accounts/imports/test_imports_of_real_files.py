"""The files of the sample and the real files beside the repository come in, twice, with the sums somebody else computed."""

import json
from contextlib import suppress
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db.models import Sum

from accounts.imports import runs as imports
from accounts.models import Account, ImportRun, Subscription
from ledger.errors import Invalid

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shipped")]


def bring(path: Path, **options: str) -> str:
    """The command's last line."""
    out = StringIO()
    call_command("import_accounts", str(path), **{"source": "crm", **options}, stdout=out, stderr=StringIO())
    return out.getvalue().strip().splitlines()[-1]


def test_ravenstack_twice_gives_the_independent_figures(real_data: Path) -> None:
    truth = json.loads((real_data / "1_incidents" / "truth_figures.json").read_text())["ravenstack"]
    folder = real_data / "3_accounts"
    for created in (True, False):
        lines = [bring(folder / f"ravenstack_{kind}.csv") for kind in ("accounts", "subscriptions")]
        n = [truth["accounts"], truth["subscriptions"]]
        words = "{0} created, 0 updated, 0 unchanged" if created else "0 created, 0 updated, {0} unchanged"
        assert lines == [
            f"accounts: {words.format(n[0])}, 0 rows with problems",
            f"subscriptions: {words.format(n[1])}, 0 rows with problems",
        ]
    running = Subscription.objects.filter(end_date=None).aggregate(total=Sum("arr"))["total"]
    assert running == truth["arr_sum_active"]
    assert Account.objects.aggregate(total=Sum("arr"))["total"] == running
    assert not Account.objects.filter(arr__gt=0, renewal_date=None).exists()


def test_maven_and_telco_come_in_whole(real_data: Path) -> None:
    folder = real_data / "3_accounts"
    named = len((folder / "maven_crm_accounts.csv").read_text().splitlines()) - 1
    assert bring(folder / "maven_crm_accounts.csv", source="maven").startswith(f"accounts: {named} created")
    assert Account.objects.get(external_id="Bluth Company").parent == Account.objects.get(name="Acme Corporation")
    assert not Account.objects.exclude(arr=None).exists(), "a company's revenue is not our ARR"
    head = (folder / "telco_customer_churn.csv").read_text().splitlines()[:301]
    run = imports.stage(data="\n".join(head).encode(), filename="telco.csv", source="telco", default_currency="USD")
    assert imports.apply(run=run).created == len(head) - 1


@pytest.mark.parametrize("kind", ["accounts", "subscriptions", "contacts", None])
def test_hostile_files_are_refused_or_listed_never_a_crash(real_data: Path, kind: str | None) -> None:
    for path in sorted((real_data / "6_injection").iterdir()):
        data = path.read_bytes()[:200_000]
        header = b"external_id,name,account_id,email,arr,renewal_date\n"
        for content in (data, header + data):
            # Whatever else than a refusal comes out of here fails the test.
            with suppress(Invalid):
                run = imports.stage(source="crm", data=content, filename=path.name, kind=kind, default_currency="USD")
                run = imports.apply(run=run)
                assert run.applied == run.total
    assert not ImportRun.objects.filter(state=ImportRun.RUNNING).exists()

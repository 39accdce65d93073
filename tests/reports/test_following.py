"""The facts follow the logs: by every verb, in any order of commits, and never further than access goes."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connections, transaction
from django.test import Client

from accounts.models import User
from approvals.requests import decide as deciding
from escalations import states
from escalations.cases import closing, thread
from escalations.cases.log import Entry, lock, record
from escalations.models import CaseRequest, Escalation, Event
from ledger.now import now
from reports.facts import follow
from reports.facts.refresh import refresh
from reports.models import CaseFact, ClockFact, DecisionFact, Progress, ReopeningFact
from reports.queries.kpis import figures
from reports.queries.scope import Scope
from reports.rules import kpis as rules
from reports.rules import periods
from tests.escalations.cases.builders import asked, opened
from tests.support.cast import Cast

Make = Callable[..., Any]


def pulled() -> int:
    """Pull until nothing waits; returns how many cases were refreshed."""
    total = 0
    while done := follow.pull():
        total += done
    return total


def written(case: Escalation, text: str) -> None:
    """An entry in the log of a case."""
    record(lock(case.pk), [Entry(kind=Event.UPDATE, text=text)], at=now())


@pytest.mark.both_databases
def test_the_facts_agree_after_every_verb_of_a_case(cast: Cast) -> None:
    pulled()
    case = asked(cast)
    assert (pulled(), follow.check()) == (1, [])
    assert DecisionFact.objects.count() == 0
    request = CaseRequest.objects.get(case=case).request
    deciding.decide(request_id=request.pk, version=request.version, by=cast.director, verdict="approved", channel="web")
    assert (pulled(), follow.check()) == (1, [])
    assert DecisionFact.objects.get().level == "director"
    assert case.owner
    Escalation.objects.get(pk=case.pk).actions.update(state="done")
    ending = closing.Ending("saved", "Price", "Kept", customer_told=True)
    closing.resolve(case_id=case.pk, by=case.owner, ending=ending)
    assert (pulled(), follow.check()) == (1, [])
    assert CaseFact.objects.get().cause == "Price"
    assert ClockFact.objects.exists()
    closing.reopen(case_id=case.pk, by=case.owner, reason="It is back")
    assert (pulled(), follow.check()) == (1, [])
    assert ReopeningFact.objects.get().soon
    assert CaseFact.objects.get().resolved_on is None
    assert pulled() == 0


def test_a_backlog_is_read_in_parts(cast: Cast) -> None:
    pulled()
    for number in range(3):
        opened(cast, title=f"Case {number}")
    assert [follow.pull(most=2), follow.pull(most=2), follow.pull(most=2)] == [2, 1, 0]
    assert follow.check() == []


def test_nothing_is_written_while_nothing_waits(cast: Cast, django_assert_num_queries: Any) -> None:
    opened(cast)
    pulled()
    pulled()
    with django_assert_num_queries(2):
        assert follow.pull() == 0


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_an_entry_that_is_committed_late_is_not_skipped(cast: Cast) -> None:
    early, late = opened(cast, title="One"), opened(cast, title="Two")
    pulled()
    has_written, may_commit = threading.Event(), threading.Event()

    def write_late() -> None:
        with transaction.atomic():
            written(late, "Written first, committed last")
            has_written.set()
            assert may_commit.wait(20)
        connections.close_all()

    slow = threading.Thread(target=write_late)
    slow.start()
    assert has_written.wait(20)
    written_after(early)
    numbers = Event.objects.filter(case=early).order_by("-pk").values_list("pk", flat=True)
    assert pulled() == 1
    progress = Progress.objects.get()
    assert progress.seen_event == numbers[0]
    assert progress.event < numbers[0], "the cursor passed an entry that is not committed"
    may_commit.set()
    slow.join(20)
    assert Event.objects.filter(case=late).latest("pk").pk < numbers[0]
    assert pulled() == 1
    assert follow.check() == []
    # The cursor also waits for transactions of other databases on this server, such as those of other tests.
    end = time.monotonic() + 60
    while Progress.objects.get().event != numbers[0] and time.monotonic() < end:
        pulled()
        time.sleep(0.1)
    assert Progress.objects.get().event == numbers[0]


def written_after(case: Escalation) -> None:
    """An entry of a transaction of its own."""
    with transaction.atomic():
        written(case, "Written last, committed first")


@pytest.mark.both_databases
def test_who_loses_access_is_not_counted_from_then_on_and_an_account_moves_at_once(cast: Cast) -> None:
    opened(cast)
    pulled()
    period = periods.read({}, now())

    def seen(region: str = "") -> int:
        return figures(Scope(cast.committee, region), period)[rules.ESCALATE].cases

    assert (seen(), seen("EMEA")) == (1, 0)
    cast.northwind.region = "EMEA"
    cast.northwind.save()
    assert (seen(), seen("EMEA")) == (1, 1)
    cast.committee.holdings.update(ends=now())
    cast.committee = User.objects.get(pk=cast.committee.pk)
    assert seen() == 0


@pytest.mark.both_databases
def test_the_command_finds_and_mends_what_somebody_changed_by_hand(
    a_case: Make, a_decision: Make, capsys: pytest.CaptureFixture[str]
) -> None:
    case = a_case(resolved_at=now())
    a_decision(case, 2, now())
    call_command("rebuild_figures", "--check")
    CaseFact.objects.update(took=1)
    DecisionFact.objects.all().delete()
    with pytest.raises(CommandError, match="3 rows differ"):
        call_command("rebuild_figures", "--check")
    said = capsys.readouterr().out
    assert "decision fact is missing" in said
    assert "case fact is wrong" in said
    call_command("rebuild_figures")
    assert "figures of 1 cases" in capsys.readouterr().out
    call_command("rebuild_figures", "--check")
    CaseFact.objects.update(last_on="2001-01-01")
    with pytest.raises(CommandError, match="1 rows differ"):
        call_command("rebuild_figures", "--check")


def test_facts_that_are_there_twice_are_found(a_case: Make, a_decision: Make) -> None:
    a_decision(a_case(), 2, now())
    fact = DecisionFact.objects.get()
    fact.pk = None
    fact.save()
    assert len(follow.check()) == 1
    refresh([fact.case_id])
    assert follow.check() == []


def test_the_page_says_up_to_when_it_is_complete(client: Client, cast: Cast) -> None:
    case = opened(cast)
    pulled()
    client.force_login(cast.sponsor)
    assert "complete up to" not in client.get("/dashboard/").content.decode()
    thread.post(case_id=case.pk, by=cast.csm, text="Called the customer")
    for address in ("/dashboard/", "/dashboard/time-to-escalate/cases/"):
        assert "newer changes are being counted" in client.get(address).content.decode()
    assert Progress.objects.get().seen_event < Event.objects.latest("pk").pk, "reading a page wrote something"
    pulled()
    assert "complete up to" not in client.get("/dashboard/").content.decode()


def test_before_the_first_count_the_page_says_so(client: Client, cast: Cast) -> None:
    opened(cast)
    client.force_login(cast.sponsor)
    assert "Figures are being counted for the first time" in client.get("/dashboard/").content.decode()


@pytest.mark.parametrize("who", ["sponsor", "director", "ops", "csm"])
def test_a_page_takes_at_most_twelve_queries_for_one_three_and_fifty_cases(
    client: Client, cast: Cast, a_case: Make, a_decision: Make, django_assert_max_num_queries: Any, who: str
) -> None:
    client.force_login(getattr(cast, who))
    client.get("/dashboard/")
    counts = []
    for more in (1, 2, 47):
        for number in range(more):
            case = a_case(opened_at=now(), resolved_at=now(), root_cause=f"c{number}", state=states.RESOLVED)
            a_decision(case, 2, now())
        with django_assert_max_num_queries(12) as page:
            assert client.get("/dashboard/").status_code == 200
        counts.append(len(page))
    assert len(set(counts)) == 1

"""Dashboard, the lists behind it, CSV and the engine's health, through the browser's door."""

import csv
import io
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from escalations.models import Clock
from ledger import heartbeats
from ledger.now import now
from messaging.models import Message
from reports import charts
from tests.support.cast import Cast

pytestmark = pytest.mark.both_databases

FEB = datetime(2026, 2, 10, 9, tzinfo=UTC)
QUARTER = "period=custom&from=2026-01-01&to=2026-03-31"
Make = Callable[..., Any]


@pytest.fixture
def six(a_case: Make, a_decision: Make) -> list[Any]:
    """Six cases a director decided after 40 to 45 hours, all resolved for two reasons."""
    made = []
    for n in range(6):
        cause = "Liability cap" if n < 4 else "Discount <b>over</b> limit"
        made.append(
            a_case(
                took=10 + n,
                level=2,
                level_since=FEB,
                resolved_at=FEB,
                root_cause=cause,
                outcome="saved",
                arr_at_risk=1000,
            )
        )
        a_decision(made[-1], 2, FEB + timedelta(hours=40 + n))
    return made


def test_the_dashboard_shows_the_five_figures_with_target_owner_and_state(client: Client, cast: Cast, six: Any) -> None:
    client.force_login(cast.sponsor)
    page = client.get(f"/dashboard/?{QUARTER}").content.decode()
    for words in (
        "12.5",
        "42.5",
        "Target under 48h",
        "Executive sponsor",
        "Too few to show (0)",
        "On target",
        "Jan 1 to Mar 31, 2026",
    ):
        assert words in page
    assert "Liability cap (repeat)" in page
    assert "Discount &lt;b&gt;over&lt;/b&gt; limit" in page
    assert 'role="img"' in page
    assert "View as table" in page
    assert "$6k saved" in page


@pytest.mark.parametrize(
    "kpi",
    ["time-to-escalate", "decision-director", "decision-executive", "without-executive", "recurrence", "decisions"],
)
def test_every_number_opens_the_list_behind_it(client: Client, cast: Cast, six: Any, kpi: str) -> None:
    client.force_login(cast.sponsor)
    page = client.get(f"/dashboard/{kpi}/cases/?{QUARTER}")
    assert page.status_code == 200
    assert len(page.context["rows"]) == (0 if kpi == "decision-executive" else 6)
    if kpi != "decision-executive":
        assert f"ESC-{six[0].pk}" in page.content.decode()


def test_an_unknown_figure_is_not_found(client: Client, cast: Cast) -> None:
    client.force_login(cast.sponsor)
    assert client.get("/dashboard/luck/cases/").status_code == 404
    assert client.get("/dashboard/luck/cases.csv").status_code == 404


def test_a_period_that_cannot_be_read_is_named_and_the_page_still_stands(client: Client, cast: Cast) -> None:
    client.force_login(cast.sponsor)
    answer = client.get("/dashboard/?from=yesterday&to=2026-01-01")
    assert answer.status_code == 422
    assert "Enter a date such as 2026-01-31" in answer.content.decode()


def test_an_empty_desk_says_so_instead_of_drawing_nothing(client: Client, cast: Cast) -> None:
    client.force_login(cast.csm)
    page = client.get("/dashboard/").content.decode()
    assert "No clock ended in this period." in page
    assert "<polyline" not in page


def test_a_csv_holds_the_whole_list_and_no_formula(client: Client, cast: Cast, a_case: Make) -> None:
    a_case(took=5, title="=HYPERLINK(1)")
    a_case(took=7, account=cast.elsewhere, confidential=True)
    client.force_login(cast.sponsor)
    answer = client.get(f"/dashboard/time-to-escalate/cases.csv?{QUARTER}")
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert answer["Content-Type"].startswith("text/csv")
    assert [row[1] for row in rows] == ["Title", "'=HYPERLINK(1)"]
    assert rows[1][6:] == ["5.00", "5.0h"]


def test_the_figures_come_as_csv(client: Client, cast: Cast, six: Any) -> None:
    client.force_login(cast.sponsor)
    text = client.get(f"/dashboard/kpis.csv?{QUARTER}").content.decode("utf-8-sig")
    assert '"Time to decision, Director",42.5,h,48,Director,met,6' in text


def test_the_page_takes_the_same_queries_for_one_case_and_for_six(
    client: Client, cast: Cast, a_case: Make, a_decision: Make
) -> None:
    client.force_login(cast.sponsor)

    def count(path: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get(path).status_code == 200
        return len(queries)

    counts = []
    for rows in (1, 5):
        for n in range(rows):
            a_decision(a_case(level=2, level_since=FEB, resolved_at=FEB, root_cause=f"c{n}"), 2, FEB)
        counts.append([count(f"/dashboard/?{QUARTER}"), count(f"/dashboard/decisions/cases/?{QUARTER}")])
    assert counts[0] == counts[1]


def test_the_command_prints_the_same_figures(six: Any, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("kpis", "--json", "--from", "2026-01-01", "--to", "2026-03-31")
    printed = json.loads(capsys.readouterr().out)
    by_name = {each["kpi"]: each for each in printed["kpis"]}
    assert by_name["decision-director"]["value"] == 42.5
    assert by_name["time-to-escalate"]["state"] == "met"
    call_command("kpis", "--from", "2026-01-01", "--to", "2026-03-31")
    assert "Time to decision, Director" in capsys.readouterr().out
    with pytest.raises(CommandError, match="no period"):
        call_command("kpis", "--period", "sometimes")


def test_only_operations_see_the_engine(client: Client, cast: Cast) -> None:
    client.force_login(cast.director)
    assert client.get("/engine/").status_code == 404
    client.force_login(cast.ops)
    assert client.get("/engine/").status_code == 200


def test_the_engine_page_says_what_is_wrong_in_one_sentence(client: Client, cast: Cast, a_case: Make) -> None:
    case = a_case(state="closed")
    for name in ("engine", "sender", "worker"):
        heartbeats.beat(name)
    client.force_login(cast.ops)
    assert "All clocks are being watched." in client.get("/engine/").content.decode()
    due = now() - timedelta(minutes=5)
    running = {
        "case": case,
        "target_seconds": 60,
        "target_text": "1 minute",
        "started_at": due,
        "resumed_at": due,
        "due_at": due,
    }
    Clock.objects.create(kind="response", fire_at=due, **running)
    Clock.objects.create(kind="decision", level=2, fire_at=due, parked=True, error="ValueError: <odd>", **running)
    Message.objects.create(
        key="k", kind="breach", address="a@b.example", subject="Broken", text="x", message_id="<1>", state="parked"
    )
    page = client.get("/engine/").content.decode()
    assert "Clocks are not being watched." in page
    assert "the oldest due clock has waited 5 min" in page.lower()
    assert "ValueError: &lt;odd&gt;" in page
    assert "Broken" in page


def test_a_line_chart_leaves_gaps_and_writes_the_last_value() -> None:
    drawn = charts.lines("c", ["a", "b", "c", "d"], [charts.Line("Director", [10, None, 30, 51], 48)], "t<")
    assert drawn.count("<polyline") == 2
    assert "Director 51h" in drawn
    assert '<title id="c">t&lt;</title>' in drawn
    assert "style=" not in drawn


@pytest.mark.parametrize(("most", "top"), [(0, 4), (3, 4), (94, 100), (101, 200), (100_000, 100_000)])
def test_scales_end_on_a_round_number(most: float, top: int) -> None:
    assert charts.ticks(most)[-1] == top


def test_stacked_columns_write_the_red_number_only_where_there_is_one() -> None:
    drawn = charts.stacks("s", [charts.Stack("W1", 5, 1, 2), charts.Stack("W2", 4, 0, 0)], "weeks")
    assert drawn.count('class="c-red"') == 1
    assert ">2</text>" in drawn

import re
from decimal import Decimal
import pytest
from datetime import timedelta
from tests.support import pages, browser as browsers
from tests.support.cast import make_cast, PASSWORD
from tests.escalations.pages.stories import *
from tests.escalations.pages.test_case_pages import ask_for
from escalations.services import communication, tracker
from escalations.models import Escalation, Clock
from accounts.models import Signal, Account

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

def test_shots(live_server, watch):
    cast = make_cast()
    sig = Signal.objects.create(account=cast.northwind, contact=cast.contact, kind="email", at=now()-timedelta(hours=5), text="A 12-month cap is unacceptable.\nWe will take the legal options.", phrases=[{"kind":"tone","text":"unacceptable","start":18,"end":30}], sentiment=-.6)
    a = accept(raise_case(cast, title="Indemnity change blocks Northwind renewal signature", signal=sig, concession="discount", amount=Decimal(18), blocker=True))
    a = Escalation.objects.get(pk=a.pk)
    communication.set_status(case_id=a.pk, by=a.owner, text="Legal and Finance support it. Waiting on the sponsor.", version=a.version)
    e = communication.post(case_id=a.pk, by=cast.csm, text="Called their counsel.")
    communication.correct(case_id=a.pk, event_id=e.pk, by=cast.csm, text="Called their counsel twice.")
    communication.post(case_id=a.pk, by=cast.csm, text="We hold the price", decision=True)
    lead = a.people.get(duty="communication").user
    communication.customer_update(case_id=a.pk, by=lead, text="We answer by Friday.", contacts=[cast.contact])
    tracker.add_action(case_id=a.pk, by=cast.csm, title="Call the legal team of Northwind", owner=cast.ae, due_at=days(1))
    b = raise_case(cast, title="Net 90 payment terms", issue_type="billing-dispute")
    c = accept(raise_case(cast, title="Outage after migration", issue_type="technical-outage"))
    communication.wait_on(case_id=c.pk, by=c.owner, whom="customer", reason="Logs")
    Escalation.objects.filter(pk=b.pk).update(sla_due_at=days(-.03), arr_at_risk=Decimal(240000))
    Clock.objects.filter(case=a, kind="decision").update(due_at=days(-.03))
    problems = []
    def look(page, path, name):
        page.visit(path)
        page.shot("p1_"+name)
        try:
            page.assert_clean()
        except AssertionError as err:
            problems.append(str(err)[:1500])
    for name, size in (("", None), ("_phone", pages.PHONE)):
        w = watch(live_server.url, viewport=size)
        w.sign_in("priya@desk.example", PASSWORD)
        look(w, urls("queue"), "queue"+name)
        look(w, urls("case", a), "case"+name)
        look(w, urls("case", b), "case_open"+name)
        look(w, urls("new")+f"?signal={sig.pk}", "intake"+name)
        look(w, urls("history", a), "history"+name)
        look(w, urls("status", a), "status"+name)
        look(w, urls("opened", b), "opened"+name)
        look(w, urls("waiting", c), "waiting"+name)
        w.visit(urls("new"))
        w.page.locator("#id_account").select_option(label="Northwind Logistics")
        w.page.locator("#id_issue_type").select_option(index=2)
        w.page.wait_for_timeout(1500)
        w.page.locator("#id_concession").select_option("discount")
        w.page.wait_for_timeout(500)
        w.shot("p1_preview"+name)
        w.page.locator("button:has-text('Submit escalation')").click()
        w.page.wait_for_load_state("networkidle")
        w.shot("p1_intake_errors"+name)
        try:
            w.complaints = [x for x in w.complaints if "422" not in x]
            w.assert_clean()
        except AssertionError as err: problems.append(str(err)[:1500])
        # conflict
        w.visit(urls("status", a))
        a.refresh_from_db()
        communication.set_status(case_id=a.pk, by=a.owner, text="Legal supports it. Finance does not.", version=a.version)
        w.page.locator("#id_text").fill("Mine.")
        w.page.locator("button:has-text('Save status')").click()
        w.page.wait_for_load_state("networkidle")
        w.shot("p1_conflict"+name)
        try:
            w.complaints = [x for x in w.complaints if "409" not in x and "403" not in x]
            w.assert_clean()
        except AssertionError as err: problems.append(str(err)[:1500])
        w.visit(urls("case", a))
        w.page.locator("summary.btn-more").click()
        if w.page.locator("label:has-text('Customer update')").count(): w.page.locator("label:has-text('Customer update')").first.click()
        w.shot("p1_case_more"+name)
    assert not problems, "\n\n".join(problems)

"""Small words the stories of these pages share."""

from datetime import datetime, timedelta
from typing import Any

from django.urls import reverse

from accounts.models import User
from escalations.cases import access_rows, handoffs, intake
from escalations.models import CasePerson, Escalation
from ledger.now import now
from tests.support.cast import Cast


def urls(name: str, case: Escalation | None = None, *rest: object) -> str:
    """Address of a page, of a case where one is given."""
    return reverse(f"escalations:{name}", args=[*([case.key] if case else []), *rest])


def days(number: float) -> datetime:
    """So many days from now."""
    return now() + timedelta(days=number)


def raise_case(cast: Cast, **facts: Any) -> Escalation:
    """A case on Northwind by its CSM."""
    given: dict[str, Any] = {
        "account": cast.northwind,
        "issue_type": "discount-beyond-limit",
        "issue": "Northwind asks for 18% off. Their counsel will not sign without it.",
        "impact": "The renewal lapses.",
        "deadline": days(3),
    }
    return intake.open_case(intake.Intake(**{**given, **facts}), by=cast.csm)


def copies(case: Escalation, number: int) -> list[Escalation]:
    """The case and so many others like it, without clocks, people or log: for lists."""
    columns = {
        field.attname: getattr(case, field.attname) for field in case._meta.concrete_fields if not field.primary_key
    }
    made = Escalation.objects.bulk_create(Escalation(**columns) for _ in range(number))
    access_rows.keep([each.pk for each in made])
    return [case, *made]


def accept(case: Escalation) -> Escalation:
    """The person it was handed to takes it."""
    waiting = case.handoffs.get(state="waiting", duty="owner")
    handoffs.accept(case_id=case.pk, handoff_id=waiting.pk, by=waiting.to_user)
    return Escalation.objects.select_related("owner", "account").get(pk=case.pk)


def join(case: Escalation, user: User) -> User:
    """Somebody who is informed about the case and has no duty on it."""
    CasePerson.objects.get_or_create(case=case, user=user, duty="", defaults={"letter": "I", "since": now()})
    return user

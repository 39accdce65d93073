"""The pages about people on a phone and a wide screen: nothing sideways, nothing against the policy, nothing axe minds."""

from typing import Any

import pytest

from accounts.people import leaving
from escalations.cases import sharing
from escalations.models import SharedThread
from tests.approvals.test_chain_in_the_browser import PHONE, WIDE, browse
from tests.escalations.cases.builders import accepted, opened
from tests.support.cast import Cast, person

__all__ = ["browse"]
pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]


@pytest.mark.parametrize("viewport", [PHONE, WIDE], ids=["phone", "wide"])
def test_the_pages_about_people_are_clean(cast: Cast, browse: Any, viewport: dict[str, int]) -> None:
    case, other = accepted(cast), opened(cast)
    felix = person("felix@counsel.example", "Felix Brandt", "external")
    made: SharedThread = sharing.share(
        case_id=case.pk, by=cast.ops, party=felix, subject="Contract of 2024", text="Is clause 7 binding?"
    )
    leaving.deactivate(user_id=cast.ae.pk, by=cast.ops)
    while leaving.follow():
        pass
    here = f"/escalations/{case.key}/"
    for who, pages in {
        cast.ops: [
            "/people/departures/",
            f"/people/{cast.csm.pk}/leaving/",
            f"/people/{cast.ae.pk}/leaving/",
            *(f"{here}{tail}" for tail in ("roles/", "roles/raci/", "roles/scribe/", "shared/", f"shared/{made.pk}/")),
            f"/escalations/{other.key}/duplicate/",
            f"/accounts/{case.account_id}/contacts/new/",
        ],
        felix: ["/shared/", f"/shared/{made.pk}/"],
    }.items():
        for path in pages:
            browse(who, path, viewport).assert_clean(f"people {path.strip('/')} {viewport['width']}")

"""What a filled database needs besides its cases: a case with many posts, and statistics."""

from django.db import connection, transaction

from accounts.models import Account, User
from demo.fill import FILLED
from escalations.cases import intake, thread
from escalations.models import Escalation

POSTS, POSTS_AT_ONCE = 1_000, 50
FIRST_CSM = "csm-1@filled.example"
# Found once, in the case with the many posts.
RARE = "zanzibar"
LONG_TITLE = f"The {RARE} shipment is stuck"


def prepare() -> None:
    """Add to a filled database what the filling does not make: a case with 1,000 posts, and the statistics."""
    owner = User.objects.get(email=FIRST_CSM)
    account = Account.objects.filter(csm=owner).order_by("pk")[0]
    kind = Escalation.objects.open().filter(account__source=FILLED).latest("pk").issue_type.slug
    asked = intake.Intake(account=account, issue_type=kind, issue=f"{LONG_TITLE}. Nobody answers.", title=LONG_TITLE)
    case = intake.open_case(asked, by=owner)
    for begin in range(0, POSTS, POSTS_AT_ONCE):
        with transaction.atomic():
            for number in range(begin, begin + POSTS_AT_ONCE):
                thread.post(case_id=case.pk, by=owner, text=f"Post {number}: the carrier answered, the papers did not.")
    analyze()


def analyze() -> None:
    """Statistics for the planner, as the product's own schedule keeps them."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("PRAGMA analysis_limit = 1000")
            cursor.execute("ANALYZE")
        else:
            cursor.execute("VACUUM ANALYZE")

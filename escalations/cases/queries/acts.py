"""The buttons of the next-step card: those of the rule's codes that this person may use now."""

from collections.abc import Callable
from dataclasses import dataclass, field

from django.urls import reverse

from accounts.models import Role, User
from escalations.cases.queries.asked import Asked
from escalations.models import Escalation, HandOff
from ledger.format import listed


@dataclass(frozen=True)
class Act:
    """A button: a link, or a POST with these fields."""

    label: str
    href: str
    post: bool = False
    fields: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Scene:
    """The facts that decide which buttons are shown."""

    case: Escalation
    user: User
    may: dict[str, bool]
    handoff: HandOff | None
    open_requests: list[Asked]

    def page(self, name: str, *args: int) -> str:
        """Address of a page of the case."""
        return reverse(f"escalations:{name}", args=[self.case.key, *args])


def acts(codes: tuple[str, ...], scene: Scene) -> list[Act]:
    """The buttons in the order of the rule; the first one is the primary."""
    return [act for act in (MAKERS[code](scene) for code in codes) if act]


def _when_may(verb: str, label: str, name: str) -> Callable[[Scene], Act | None]:
    return lambda scene: Act(label, scene.page(name)) if scene.may[verb] else None


def _always(label: str, name: str) -> Callable[[Scene], Act | None]:
    return lambda scene: Act(label, scene.page(name))


def _accept(scene: Scene) -> Act | None:
    return Act("Accept or refuse", scene.page("handoff", scene.handoff.number)) if scene.handoff else None


def _customer_update(scene: Scene) -> Act | None:
    return Act("Write the customer update", scene.page("case") + "#composer") if scene.may["customer_update"] else None


def _resume(scene: Scene) -> Act | None:
    return Act("Resume clocks", scene.page("waiting"), True, {"waiting_on": "nobody"}) if scene.may["pause"] else None


def _decide(scene: Scene) -> Act | None:
    mine = next((each for each in scene.open_requests if scene.user.pk in each.people), None)
    return Act("Review and decide", reverse("approvals:detail", args=[mine.pk])) if mine else None


def _remind(scene: Scene) -> Act | None:
    made = next(iter(scene.open_requests), None)
    if made is None or not made.people:
        return None
    team = (made.requester_id, scene.case.account.csm_id, scene.case.account.ae_id)
    if scene.user.sees != Role.ALL and scene.user.pk not in team:
        return None
    names = listed([name.split()[0] for name in made.people.values()])
    return Act(f"Remind {names}", reverse("approvals:remind", args=[made.pk]), True)


MAKERS: dict[str, Callable[[Scene], Act | None]] = {
    "accept": _accept,
    "approvals": _always("See the request", "requests"),
    "ask": _when_may("ask", "Request approval", "ask"),
    "brief": _always("Complete the brief", "brief"),
    "close": _when_may("close", "Close", "close"),
    "customer_update": _customer_update,
    "decide": _decide,
    "escalate": _when_may("escalate", "Escalate", "escalate"),
    "execute": _when_may("execute", "Execute without approval", "execute"),
    "hand_over": _when_may("hand_off", "Hand over", "reassign"),
    "remind": _remind,
    "resolve": _when_may("resolve", "Resolve", "resolve"),
    "resume": _resume,
    "review": _always("Open the review", "review"),
    "roles": _always("See roles", "roles"),
    "tracker": _always("Open the tracker", "tracker"),
}

"""What somebody has typed into the intake form and not yet submitted: one draft a person."""

from accounts.models import User
from escalations.models import IntakeDraft
from ledger.now import now


def save(*, user: User, data: dict[str, str]) -> IntakeDraft | None:
    """Keep what was typed. An empty form leaves an earlier draft alone; the same text is not written twice."""
    typed = {name: value for name, value in data.items() if value.strip()}
    kept = IntakeDraft.objects.filter(user=user).first()
    if not typed or (kept and kept.data == typed):
        return kept
    draft, _ = IntakeDraft.objects.update_or_create(user=user, defaults={"data": typed, "saved_at": now()})
    return draft


def discard(*, user: User) -> None:
    """Forget the draft; nothing happens when there is none."""
    IntakeDraft.objects.filter(user=user).delete()

"""How a person is drawn beside a name. Pure."""

COLOURS = ("", "b", "c", "d")


def initials(name: str, email: str = "") -> str:
    """Two letters for the avatar."""
    words = name.split() or [email]
    return (words[0][:1] + (words[-1][:1] if len(words) > 1 else "")).upper()


def avatar(pk: int) -> str:
    """One of four avatar colours, stable per person."""
    return COLOURS[pk % len(COLOURS)]

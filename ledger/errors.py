"""Errors every door understands: a sentence for the person, a code for the machine, the HTTP status that fits."""


class Refused(Exception):
    """A verb was asked for something it may not or cannot do. Nothing was written."""

    code = "refused"
    status = 422

    def __init__(self, message: str, *, field: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.field = field


class NotAllowed(Refused):
    """The person has no right to do this."""

    code = "not_allowed"
    status = 403


class NotThere(Refused):
    """No such thing, or none that this person may see."""

    code = "not_found"
    status = 404


class Stale(Refused):
    """Somebody else changed it first."""

    code = "changed_meanwhile"
    status = 409


class AlreadyDone(Refused):
    """It has been done or decided already."""

    code = "already_done"
    status = 409


class Invalid(Refused):
    """A value is missing or wrong; `field` names it."""

    code = "invalid"
    status = 422

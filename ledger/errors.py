"""Errors that every door handles: a sentence for the user, a code for programs, and the HTTP status."""


class Refused(Exception):
    """The verb may not or cannot do what was requested. Nothing was written."""

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
    """The object does not exist, or this person may not see it."""

    code = "not_found"
    status = 404


class Stale(Refused):
    """Another user changed it first."""

    code = "changed_meanwhile"
    status = 409


class AlreadyDone(Refused):
    """It has been done or decided already."""

    code = "already_done"
    status = 409


class TooLarge(Refused):
    """The request is too large to be read."""

    code = "too_large"
    status = 413


class Busy(Refused):
    """The database could not be written in time, because others were writing. The same request will work later."""

    code = "busy"
    status = 503
    retry_after_seconds = 5

    def __init__(self) -> None:
        super().__init__(
            "Many people are saving at the same time. Nothing was saved; wait a few seconds and try again."
        )


class Invalid(Refused):
    """A value is missing or wrong; `field` names it."""

    code = "invalid"
    status = 422

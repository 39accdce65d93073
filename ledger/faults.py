"""Named points at which a fault test kills the process. They do nothing outside the test settings."""

import os
import random
import signal

from django.conf import settings


def passing(point: str) -> None:
    """End this process like `kill -9`, if the settings ask for it at this point.

    `settings.DIE_AT` maps the name of a point to the chance (0 to 1) of dying there; it is empty outside tests.
    """
    chance = settings.DIE_AT.get(point, 0.0)
    if chance and random.random() < chance:  # noqa: S311 - which process dies is no secret
        os.kill(os.getpid(), signal.SIGKILL)

"""A row of the register, and the files that many rows name."""

from typing import NamedTuple

MAILS = "tests/findings/test_mail_rows.py"
OTHERS = "tests/findings/test_other_rows.py"
CASES = "tests/escalations/cases"
PAGES = "tests/escalations/pages"
TABS = "tests/escalations/tabs"
TALK = "tests/escalations/conversation"
INBOUND = "tests/messaging/inbound"
READINGS = "tests/accounts/imports/test_readings.py"


class Row(NamedTuple):
    """A finding in a few words, and the tests of its right value as file and names."""

    name: str
    finding: str
    tests: tuple[tuple[str, str], ...]

import logging

import pytest

from config.logs import WithoutSecrets
from messaging.outbox.rules.secrets import masked

TOKEN = "abcdefghijklmnopqrstuvwxyz234567abcdefghijklmnopqrst"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"https://desk.example/d/{TOKEN}/ end", "https://desk.example/d/…/ end"),
        (f"Not Found: /d/{TOKEN}/", "Not Found: /d/…/"),
        (f"approve+{TOKEN}@desk.example, x@y.example", "approve+…@desk.example, x@y.example"),
        (f"APPROVE+{TOKEN.upper()}@desk.example", "APPROVE+…@desk.example"),
        ("case+1042@desk.example and /d/abc-1/", "case+1042@desk.example and /d/abc-1/"),
        ("/d/" + "x" * 43 + "?a=b", "/d/…?a=b"),
    ],
)
def test_what_lets_its_holder_decide_is_taken_out(text: str, shown: str) -> None:
    assert masked(text) == shown


def test_no_line_of_a_log_holds_a_token() -> None:
    record = logging.LogRecord("django.request", logging.WARNING, "", 0, "Gone: %s", (f"/d/{TOKEN}/",), None)
    assert WithoutSecrets().filter(record)
    assert record.getMessage() == "Gone: /d/…/"

"""What is granted, without the question that asked for it."""

import pytest

from approvals.models import ApprovalRequest


@pytest.mark.parametrize(
    ("ask", "subject"),
    [
        ("Approve a 25 percent discount for Northwind?", "A 25 percent discount for Northwind"),
        ("Please grant 18% for three years ?", "18% for three years"),
        ("Cap at 18 months of fees?", "Cap at 18 months of fees"),
        ("Approve", "Approve"),
    ],
)
def test_subject(ask: str, subject: str) -> None:
    assert ApprovalRequest(ask=ask, terms={}).subject == subject

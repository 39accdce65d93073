"""The frozen brief reads as words, whatever shape the case kept it in."""

from approvals.models import ApprovalRequest
from approvals.requests.page import brief_parts


def test_the_frozen_brief_shows_the_written_parts_and_no_raw_values() -> None:
    brief = {
        "version": 2,
        "texts": {"summary": "They stop on Friday.", "next_step": "", "ask": "Who pays?"},
        "options": [{"name": "Keep", "status_quo": True}],
        "classification": {"issue_type": "Refund or credit", "score": "40"},
        "deadline": "2026-12-04T12:27:35+00:00",
    }
    parts = dict(brief_parts(ApprovalRequest(brief=brief)))
    assert parts == {
        "Summary": "They stop on Friday.",
        "The ask": "Who pays?",
        "Options": "- Name: Keep; Status quo: yes",
        "Classification": "- Issue type: Refund or credit\n- Score: 40",
    }

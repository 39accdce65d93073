"""Invented people, companies and cases: to try the desk out, and to fill a database for measuring.

Histories are written set-based: `life` plays each case through the same steps as the real verbs, by the same pure rules
(triage, routing, authority, targets, timing), and `rows` inserts thousands of finished cases at once.
"""

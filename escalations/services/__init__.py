"""Verbs that write a case. Every door calls these."""

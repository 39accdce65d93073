"""Verbs that write: the outbox, in-app notices and received mail."""

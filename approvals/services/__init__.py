"""Verbs that write requests, decisions and authority versions."""

"""Commands of escalations."""

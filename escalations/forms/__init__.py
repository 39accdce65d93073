"""The forms of cases."""

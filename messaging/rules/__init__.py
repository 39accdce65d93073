"""Pure mail rules: no ORM, no settings, no clock."""

"""Questions about cases and policy. Nothing here writes."""

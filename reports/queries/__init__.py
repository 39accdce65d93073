"""The reads of the figures and of the engine's health. Nothing here writes."""

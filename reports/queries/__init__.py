"""Reads behind the figures and the health of the engine. Nothing here writes."""

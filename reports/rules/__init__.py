"""Pure rules of figures: periods, targets, medians, health of the engine."""

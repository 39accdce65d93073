"""Pure decisions about figures: periods, targets, medians, what is well."""

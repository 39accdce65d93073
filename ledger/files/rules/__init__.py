"""Pure rules of files: limits, names, and the kinds that are accepted, told by their content."""

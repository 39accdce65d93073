"""The rows that figures are counted from: what each one holds, and how they follow the logs."""

"""Pure decisions: plain values in, answers with reasons out."""

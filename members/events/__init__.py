"""The event log: what happened, written in the same transaction as the change."""

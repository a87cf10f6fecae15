"""Work is rows: jobs with a period, an outbox with leases, heartbeats, idempotency keys."""

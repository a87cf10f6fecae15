"""The queue for rewards that are taken: who came first is offered the next free place first."""

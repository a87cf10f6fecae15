"""The programme: one installation runs one, and this is what its owner may set."""

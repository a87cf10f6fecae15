"""Members bring friends; both are rewarded after the return window of the friend's first purchase."""

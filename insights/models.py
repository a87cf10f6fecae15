"""The models of insights, imported from its packages."""

"""Providers of payments: one module each, behind one interface; ``registry`` knows them by name."""

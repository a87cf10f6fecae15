"""The points ledger.

Entries are only ever added; a mistake is corrected by another entry. Each credit is a lot with its own end; each debit
records which lots it used. ``posting`` and its neighbours here are the only writers of these tables.
"""

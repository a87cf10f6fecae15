"""The rows that can be asked for, in the order in which they run; no Django, for the command reads them too."""

ROWS = ("T7", "T5", "T6", "T1", "T4", "T2", "T3", "T16", "T9", "T8", "T10", "T15")

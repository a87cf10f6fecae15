"""Chinese: a comma every three digits, as shops print points and prices."""

THOUSAND_SEPARATOR = ","
NUMBER_GROUPING = 3

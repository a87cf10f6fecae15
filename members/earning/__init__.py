"""Earning: rules as data, evaluation as arithmetic, explanation in words."""

"""Speed, as a ratio: the product beside a floor that writes the same rows, in one run on one machine."""

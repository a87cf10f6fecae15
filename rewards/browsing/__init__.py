"""Looking through the catalogue: interests, filters, and the order that suits one member."""

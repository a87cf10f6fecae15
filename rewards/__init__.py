"""What points buy: the catalogue, its stock and codes, and redemption."""

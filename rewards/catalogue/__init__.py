"""What can be redeemed, for whom, when and for how many points."""

"""Ways to reach a member. Each module hands one letter over and says what the other side answered."""

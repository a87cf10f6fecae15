"""What the programme measures about itself."""

"""What members tell the programme: surveys, invitations, answers and scores."""

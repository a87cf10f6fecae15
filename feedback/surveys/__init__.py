"""What is asked: surveys, their versions and questions."""

"""What the programme says to its members: messages, birthdays, referrals and reminders."""

"""What must never be seen: secrets, and personal data of applicants."""

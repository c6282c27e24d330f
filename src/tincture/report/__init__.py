"""What people read and look at; it receives summaries, never records."""

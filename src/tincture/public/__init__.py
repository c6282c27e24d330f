"""What is known before a record is seen: columns, cells, outcomes, what to expect."""

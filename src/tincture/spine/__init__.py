"""One run, one release: what every kind of data shares."""

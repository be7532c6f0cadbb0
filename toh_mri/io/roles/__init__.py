"""What a series shows, and whether it can be part of a hip study."""

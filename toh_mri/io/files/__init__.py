"""Files wherever they lie, on disk or in archives, and what may go wrong on the way to their bytes."""

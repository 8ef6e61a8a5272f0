"""What a person or program may ask of a live run, and the handle through which they ask."""

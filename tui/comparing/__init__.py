"""Two sessions beside each other, on the screen."""

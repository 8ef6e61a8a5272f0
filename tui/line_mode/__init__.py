"""Line mode: the same runs as on the screen, as lines of plain text. For dumb terminals, pipes and screen readers."""

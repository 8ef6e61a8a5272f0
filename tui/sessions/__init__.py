"""The parts of the screen that lists sessions: what is found, how it is grouped, how a line is drawn."""

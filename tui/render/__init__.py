"""Items of a run's state to lines of text: pure, without a terminal, cached by whoever shows them."""

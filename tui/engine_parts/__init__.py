"""Parts of the engine: what it says to the screen, and what runs use besides models and the store."""

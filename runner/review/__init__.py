"""Looking at what runs did, afterwards: playing it again, and setting two sessions side by side. Pure."""

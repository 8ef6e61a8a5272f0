"""Looking back over all sessions: what they cost, which tools failed, what was decided. The command and the screen."""

"""Every setting, and changing one in its file."""

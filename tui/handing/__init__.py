"""A session leaves the program: as a file, on the clipboard, without its secrets."""

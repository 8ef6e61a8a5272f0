"""What the program tells the terminal around the screen: title, notices, progress, bell; and its last words."""

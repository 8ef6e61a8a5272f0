"""Two small programs that outlive others: one beside each tool's command, one beside the whole program.

They run in interpreters without site-packages (`-I -S`), so nothing here imports more than ctypes, os, sys and time.
"""

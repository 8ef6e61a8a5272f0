"""One file for each command of `quarterdeck`, loaded only when it is the one that runs.

Each has `run(args) -> int`, which gives the exit code: 0 done, 1 failed, 2 usage or configuration.
"""

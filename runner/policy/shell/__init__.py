"""Shell lines taken apart by a real grammar, so that each command in them can be decided about."""

from runner.policy.shell.model import FileUse, Line, Problem, Risk, Simple, Word

__all__ = ["FileUse", "Line", "Problem", "Risk", "Simple", "Word", "take_apart"]


def take_apart(command: str) -> Line:
    """Every simple command of a line, each file it opens, and what could not be understood. Pure and total."""
    from runner.policy.shell.walk import read_line

    return read_line(command)

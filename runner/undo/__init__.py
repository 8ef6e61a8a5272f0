"""Undo: what files were before a call changed them, kept, compared, and put back.

`keeper.Keeper` keeps while calls run; `history.load` says what changed in a session, turn by turn; `plan.undo_plan`
what putting it back would do; `restore.restore` does it and remembers it, so that it can itself be taken back.
"""

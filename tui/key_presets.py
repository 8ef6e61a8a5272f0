"""Whole sets of keys to begin with. A preset names only what differs from the defaults of the registry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tui.settings.values import PresetName

_VIM: Final[Mapping[str, tuple[str, ...]]] = {
    # Escape goes from the message to the transcript, so it does not stop a run as well.
    "stop": ("ctrl+c",),
    "list.up": ("up", "k", "N"),
    "list.down": ("down", "j", "n"),
    "list.page_up": ("pageup", "ctrl+u", "ctrl+b"),
    "list.page_down": ("pagedown", "ctrl+d", "ctrl+f"),
    "list.first": ("home", "ctrl+home", "g"),
    "list.last": ("end", "ctrl+end", "G"),
    "list.choose": ("enter", "l"),
    "list.close": ("escape", "q"),
    "list.delete": ("delete", "d"),
    "list.favourite": ("f", "p"),
    "list.note": ("f4", "a"),
    "composer.leave": ("escape",),
    "read.leave": ("i", "q"),
    "read.down": ("j", "down", "alt+down"),
    "read.up": ("k", "up"),
    "read.first": ("g", "home"),
    "read.last": ("G", "end"),
    "read.page_down": ("ctrl+d", "ctrl+f"),
    "read.page_up": ("ctrl+u", "ctrl+b"),
    "read.search": ("slash",),
    "axis.before": ("left", "h"),
    "axis.after": ("right", "l"),
    "queue.delete": ("d", "x", "delete"),
}

_EMACS: Final[Mapping[str, tuple[str, ...]]] = {
    "list.up": ("up", "ctrl+p"),
    "list.down": ("down", "ctrl+n"),
    "list.page_up": ("pageup", "alt+v"),
    "list.page_down": ("pagedown", "ctrl+v"),
    # Most terminals send alt with a sign as the sign alone.
    "list.first": ("home", "ctrl+home", "alt+less_than_sign", "less_than_sign"),
    "list.last": ("end", "ctrl+end", "alt+greater_than_sign", "greater_than_sign"),
    "list.filter": ("ctrl+s", "slash"),
    "list.close": ("escape", "ctrl+g"),
    "list.new": ("alt+shift+n",),
    "list.save": ("alt+w",),
    "read.down": ("ctrl+n", "j", "alt+down"),
    "read.up": ("ctrl+p", "k"),
    "read.page_down": ("ctrl+v", "f"),
    "read.page_up": ("alt+v", "b"),
    "read.first": ("alt+less_than_sign", "less_than_sign", "g"),
    "read.last": ("alt+greater_than_sign", "greater_than_sign", "G"),
    "read.search": ("ctrl+s", "slash"),
    "read.leave": ("escape", "ctrl+g"),
    "new": ("alt+shift+n",),
    "palette": ("alt+x",),
    "cancel_tool": ("f7",),
    "approval.focus": ("f2",),
}

PRESETS: Final[Mapping[PresetName, Mapping[str, tuple[str, ...]]]] = {"default": {}, "vim": _VIM, "emacs": _EMACS}

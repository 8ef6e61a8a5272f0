"""The names of the built-in tools, apart from the tools themselves: settings know them without loading those."""

BUILT_IN_TOOLS: tuple[str, ...] = (
    *("list_files", "read_file", "search", "write_file", "edit_file", "edit_files", "shell"),
    *("start_process", "read_process", "stop_process"),
    *("web_fetch", "todo", "ask_user"),
)

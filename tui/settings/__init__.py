"""Settings: TOML files, environment and options, merged, checked, and kept from loosening what a person did not trust.

Importing this package loads neither pydantic nor anything of the runner but its errors.
"""

from tui.settings.load import load_settings, project_file, trust_file, trusted_folder, user_file
from tui.settings.values import (
    DEFAULT_AGENT,
    AgentSettings,
    CompactionSettings,
    ConfigFile,
    EnvironmentSettings,
    ExampleSettings,
    McpSettings,
    NamedModelSettings,
    RuleSettings,
    SandboxSettings,
    Settings,
    Source,
    WebSettings,
    Withheld,
)

__all__ = [
    "DEFAULT_AGENT",
    "AgentSettings",
    "CompactionSettings",
    "ConfigFile",
    "EnvironmentSettings",
    "ExampleSettings",
    "McpSettings",
    "NamedModelSettings",
    "RuleSettings",
    "SandboxSettings",
    "Settings",
    "Source",
    "WebSettings",
    "Withheld",
    "load_settings",
    "project_file",
    "trust_file",
    "trusted_folder",
    "user_file",
]

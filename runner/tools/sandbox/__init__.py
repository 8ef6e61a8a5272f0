"""A cage for commands: what they may write, read and reach (RunConfig.sandbox).

Inside, everything is read-only but the workspace and the folders of Sandbox.write; /tmp is the session's own; other
processes and their environments cannot be seen; there is no network unless it is allowed; the sockets of services in
/run are gone; what holds a person's secrets in the home folder is hidden. In the workspace what git and this program
run or obey later stays read-only (`places.guarded`).

It is a wall against accidents and against a model that was talked into something, made of the system's own means. It is
no virtual machine: the kernel is shared.
"""

from runner.tools.sandbox.probe import SandboxStatus, status
from runner.tools.sandbox.wrap import Boxed, box_up

__all__ = ["Boxed", "SandboxStatus", "box_up", "status"]

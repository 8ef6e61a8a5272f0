"""What is served: one page, its style, and the files of textual-serve that it needs."""

from __future__ import annotations

from typing import Final

FILES: Final = {
    "xterm.css": ("static/css/xterm.css", "text/css"),
    "textual.js": ("static/js/textual.js", "text/javascript"),
    "mono.ttf": ("static/fonts/RobotoMono-VariableFont_wght.ttf", "font/ttf"),
    "mono-italic.ttf": ("static/fonts/RobotoMono-Italic-VariableFont_wght.ttf", "font/ttf"),
}

STYLE: Final = """\
@font-face { font-family: "Roboto Mono"; src: url("mono.ttf"); font-weight: 100 700; }
@font-face { font-family: "Roboto Mono"; src: url("mono-italic.ttf"); font-weight: 100 700; font-style: italic; }
html, body { margin: 0; height: 100%; background: #10141c; color: #d8dee9; overflow: hidden; }
body { font: 16px/1.5 "Roboto Mono", monospace; }
.textual-terminal { width: 100vw; height: 100vh; }
.said { display: none; position: absolute; inset: 0; z-index: 10; align-items: center; justify-content: center; }
.said p { max-width: 34em; margin: 2em; text-align: center; }
.said a { color: #88c0d0; }
body:not(.-first-byte):not(.-closed) .begins, body.-closed .ended { display: flex; background: #10141ce6; }
"""

PAGE: Final = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>Quarterdeck</title>
<link rel="stylesheet" href="xterm.css">
<link rel="stylesheet" href="page.css">
<script src="textual.js"></script>
</head>
<body>
<div class="said begins"><p>Quarterdeck starts</p></div>
<div class="said ended"><p>This page's program has ended; what it did is saved.<br>
<a href="./">Open another one</a></p></div>
<div id="terminal" class="textual-terminal" data-session-websocket-url="{socket}" data-font-size="{size}"></div>
</body>
</html>
"""

FONT_SIZES: Final = range(8, 41)


def page(host_header: str, font_size: str) -> str:
    """host_header: already found to be this server's."""
    size = int(font_size) if font_size.isdecimal() and len(font_size) < 4 else 16
    return PAGE.format(socket=f"ws://{host_header}/ws", size=size if size in FONT_SIZES else 16)


def file(name: str) -> bytes:
    from importlib.resources import files

    return (files("textual_serve") / FILES[name][0]).read_bytes()

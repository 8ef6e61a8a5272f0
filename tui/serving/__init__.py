"""The screen in a browser: a server on loopback, one program for each page that is open.

The page's script is textual-serve's; its server is not used, because it asks for no token, looks at no Origin, starts a
shell, and its page loads a font from elsewhere.
"""

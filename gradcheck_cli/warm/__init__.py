"""The way to a process that has torch loaded already: where it is, and how a command is handed over to it."""

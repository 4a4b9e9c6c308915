"""Notebooks: `%gradcheck` for a formula and all commands, `%%gradcheck` for the code of a cell."""

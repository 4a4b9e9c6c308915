"""The names of the output formats: known without loading what writes them."""

FORMATS = ("table", "json", "json-lines", "junit", "github", "markdown")
EXPLANATION_FORMATS = ("table", "markdown", "latex", "json")
LIST_FORMATS = ("table", "json")
"""Of `gradcheck functions`."""

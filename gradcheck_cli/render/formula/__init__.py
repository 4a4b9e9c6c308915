"""Reports of formulas, in the forms that show all of one: what they consist of, as Markdown, as LaTeX."""

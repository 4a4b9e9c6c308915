"""HTML: the page of a report, and the block of one result, which stands alone in a notebook."""

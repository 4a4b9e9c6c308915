"""HTML: the block of one result, which stands alone in a notebook. Templates, filled with autoescaping."""

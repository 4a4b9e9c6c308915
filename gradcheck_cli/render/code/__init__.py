"""Real code in reports: its blocks, its worst entries and what is known of them, in each format."""

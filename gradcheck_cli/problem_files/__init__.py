"""problems.yaml and pyproject.toml to requests; every mistake has file, line and column."""

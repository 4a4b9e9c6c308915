"""Whether two expressions are equal wherever both exist: normal forms, case by case between branches."""

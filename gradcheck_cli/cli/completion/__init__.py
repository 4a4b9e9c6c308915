"""What the shell asks for when the Tab key is pressed. The scripts that ask are Typer's; the answers are made here."""

"""Why a row did not pass, and what to write instead."""

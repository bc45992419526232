"""Pages of the console that are about events alone. Those about prices too are billing's."""

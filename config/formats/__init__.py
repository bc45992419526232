"""How Django writes dates and instants in the console, by language."""

"""Events become quantities: what happened, counted once, whatever it costs."""

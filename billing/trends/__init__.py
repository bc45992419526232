"""How prices moved: the own plans', those of models on the market, and those of rented GPUs."""

"""Documents of what is sold at which price: plans, their components and prices, and quote requests."""

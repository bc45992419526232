"""The usage explorer: what a meter measured of whom, when, and by what."""

"""The measurements of ``make bench``: how fast the product is, as ratios against what the machine can do."""

"""Closed months as files: one module per format, all of the shape that `shape.Format` describes."""

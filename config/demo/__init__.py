"""The demonstration: a shop with data, its processes, and a window on the mail it sends."""

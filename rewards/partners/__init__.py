"""Partners whose rewards stand in the catalogue beside our own."""

"""News about what members wished for or wait for."""

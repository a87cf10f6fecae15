"""Handing over what is not only shown: what is sent to the member."""

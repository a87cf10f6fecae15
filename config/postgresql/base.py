"""The connection: proven by a question now and then, and by its silence in between."""

import select
import time
from typing import Any

from django.db.backends.postgresql import base

PROVEN_SECONDS = 2


class DatabaseWrapper(base.DatabaseWrapper):
    """Django asks `SELECT 1` before the first statement of every request; here it asks every two seconds.

    In between a connection on which the server has said nothing is taken for alive: a server that stops, or that ends
    a session, says so.
    """

    _proven_at = float("-inf")

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Connect; that the server let us in proves the connection."""
        opened = super().get_new_connection(conn_params)
        self._proven_at = time.monotonic()
        return opened

    def is_usable(self) -> bool:
        """Tell whether the connection works; after an error the server is always asked."""
        if not self.errors_occurred and time.monotonic() - self._proven_at < PROVEN_SECONDS and self._is_silent():
            return True
        asked_at = time.monotonic()
        usable: bool = super().is_usable()
        self._proven_at = asked_at if usable else float("-inf")
        return usable

    def _is_silent(self) -> bool:
        """Tell that nothing waits to be read: neither the end of the connection nor the reason for it."""
        if self.connection is None or self.connection.closed:
            return False
        waiting = select.poll()
        waiting.register(self.connection.fileno(), select.POLLIN)
        return not waiting.poll(0)

"""Whether two addresses mean one person. Pure; for comparison only, never for sending."""

_DOTS_MEAN_NOTHING = {"gmail.com", "googlemail.com"}


def normalised_email(address: str) -> str:
    """Return the address as one mailbox: lower case, without ``+tag``.

    Google's without dots and under one domain.
    """
    local, _at, domain = address.strip().lower().rpartition("@")
    local = local.partition("+")[0]
    if domain in _DOTS_MEAN_NOTHING:
        return f"{local.replace('.', '')}@gmail.com"
    return f"{local}@{domain}"


def domains_of(normalised: str) -> list[str]:
    """Return the domains under which the mailbox may be written."""
    domain = normalised.rpartition("@")[2]
    return sorted(_DOTS_MEAN_NOTHING) if domain in _DOTS_MEAN_NOTHING else [domain]

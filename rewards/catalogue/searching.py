"""Finding words in texts, alike on both databases: without case, accents and forms of the same letter. Pure."""

import unicodedata

LONGEST_QUERY = 100


def searchable(text: str) -> str:
    """Return the text as it is compared: CAFÉ and café, １２ and 12, full and half width are the same."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(letter for letter in apart if not unicodedata.combining(letter))
    return " ".join(unicodedata.normalize("NFC", bare).casefold().split())


def words_of(query: str) -> list[str]:
    """Return the words of a search, each of which must be found; Chinese without spaces is one word."""
    return searchable(query[:LONGEST_QUERY].replace("\x00", "")).split()

"""Words that messages of all servers share."""


def counted(number: int, noun: str) -> str:
    """Return a number with its noun in the right form.

    >>> counted(1, "cell"), counted(69120, "row")
    ('1 cell', '69,120 rows')
    """
    return f"{number:,} {noun}{'' if number == 1 else 's'}"

"""Money is whole nano-dollars inside and decimal dollars at the edge, never a binary float."""

from decimal import Decimal


def dollars(nanousd: int | Decimal) -> Decimal:
    """Return whole nano-dollars as dollars, exactly."""
    return Decimal(nanousd).scaleb(-9)


def sum_of_costs(nanousd: int | Decimal | None, *, over: int) -> Decimal | None:
    """Return a sum of costs in dollars: 0 over no span, `None` over spans none of which is priced."""
    if nanousd is None:
        return None if over else Decimal(0)
    return dollars(nanousd)


def dollars_text(nanousd: int) -> str:
    """Return nano-dollars in dollars as a JSON number, without trailing zeros."""
    if nanousd < 0:
        return f"-{dollars_text(-nanousd)}"
    digits = f"{nanousd:010d}"
    told = f"{digits[:-9]}.{digits[-9:]}".rstrip("0")
    return told[:-1] if told[-1] == "." else told

"""The limiter beside others: decisions a second, exactness under many clients at once, behaviour without Redis."""

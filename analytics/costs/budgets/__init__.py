"""Budgets: amounts for periods of the calendar, what is spent of them, and who hears of it."""

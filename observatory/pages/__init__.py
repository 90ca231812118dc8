"""Dashboards: pages of the service over the same questions that the API answers."""

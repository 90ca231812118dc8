"""Demo data: what a shop with a support assistant and a research agent would have sent in two weeks."""

from analytics.management.demo.generator import DemoBatch, demo_requests, incident_of, spans_by_day
from analytics.management.demo.shapes import PROJECTS

__all__ = ["PROJECTS", "DemoBatch", "demo_requests", "incident_of", "spans_by_day"]

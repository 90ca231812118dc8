"""The pages, one module a subject: which calls each panel makes, and what it shows of the replies."""

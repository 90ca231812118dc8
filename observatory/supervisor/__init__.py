"""What `up` does: starts the servers, web and worker, keeps them running, and stops them in order."""

"""Messages to people outside: channels of organisations, and what is to be sent through them."""

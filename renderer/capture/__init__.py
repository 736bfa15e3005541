"""Ways of turning the page, as it stands in a frame, into pixels."""

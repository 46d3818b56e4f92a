"""A page in the browser that translates speech and text, and shows how: `hmst demo MODEL`."""

# The public headers.

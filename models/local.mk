# The shipped bundles.

# The manual pages.
dist_man_MANS += man/dragoman.1

# The manual pages.
dist_man_MANS += man/dragoman.1
dist_man_MANS += man/dragomanctl.1
dist_man_MANS += man/dragomand.8

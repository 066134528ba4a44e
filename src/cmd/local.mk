# The programs.

# The client.
bin_PROGRAMS += dragomanctl
dragomanctl_SOURCES = \
	include/dragoman/client.h src/cmd/client.c \
	src/cmd/dragomanctl.c src/cmd/ctl.h \
	src/cmd/ctl_ask.c src/cmd/ctl_info.c src/cmd/ctl_lines.c \
	src/cmd/ctl_input.c src/cmd/ctl_input.h
dragomanctl_LDADD = libbase.a $(DRAGOMAN_LIBS)

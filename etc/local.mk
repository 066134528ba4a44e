if SYSTEMD
systemdsystemunit_DATA = etc/dragomand.service
endif
CLEANFILES += etc/dragomand.service
EXTRA_DIST += etc/dragomand.service.in

etc/dragomand.service: $(top_srcdir)/etc/dragomand.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) etc && \
	$(SED) 's|@sbindir[@]|$(sbindir)|; s|@confdir[@]|$(confdir)|' \
	  $(top_srcdir)/etc/dragomand.service.in > $@.tmp && mv $@.tmp $@

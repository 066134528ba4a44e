if SYSTEMD
systemdsystemunit_DATA = etc/dragomand.service
endif
CLEANFILES += etc/dragomand.service
EXTRA_DIST += etc/dragomand.service.in

etc/dragomand.service: $(top_srcdir)/etc/dragomand.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) etc && \
	$(SED) 's|@sbindir[@]|$(sbindir)|; s|@confdir[@]|$(confdir)|' \
	  $(top_srcdir)/etc/dragomand.service.in > $@.tmp && mv $@.tmp $@

# An administrator's own file is neither replaced nor removed.
EXTRA_DIST += etc/dragomand.conf
install-data-local: install-conf
uninstall-local: uninstall-conf
install-conf:
	$(MKDIR_P) '$(DESTDIR)$(confdir)'
	test -f '$(DESTDIR)$(confdir)/dragomand.conf' || \
	  $(INSTALL_DATA) $(top_srcdir)/etc/dragomand.conf '$(DESTDIR)$(confdir)/dragomand.conf'
uninstall-conf:
	if cmp -s $(top_srcdir)/etc/dragomand.conf '$(DESTDIR)$(confdir)/dragomand.conf'; then \
	  rm -f '$(DESTDIR)$(confdir)/dragomand.conf'; \
	fi
.PHONY: install-conf uninstall-conf

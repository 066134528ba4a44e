# The shipped bundles and the recipes that made them, installed as they stand here: whatever folder
# of models/ holds a model.json is shipped.
shipped_bundles = $(dir $(wildcard $(srcdir)/models/*/model.json))
dragomandatadir = $(datadir)/dragoman
nobase_dist_dragomandata_DATA = $(patsubst $(srcdir)/%,%, \
	$(wildcard $(srcdir)/models/recipes/*.conf) \
	$(wildcard $(srcdir)/models/recipes/*.sh) \
	$(addsuffix model.json,$(shipped_bundles)) \
	$(addsuffix weights.safetensors,$(shipped_bundles)) \
	$(addsuffix vocab.sqlite,$(shipped_bundles)))

# The daemon looks for models beside itself and above: so it finds them from any build folder.
all-local:
	@test -e models || ln -s $(abs_top_srcdir)/models models
distclean-local:
	@test ! -h models || rm -f models

# The programs.

# The client.
bin_PROGRAMS += dragomanctl
dragomanctl_SOURCES = \
	include/dragoman/client.h src/cmd/client.c \
	src/cmd/dragomanctl.c src/cmd/ctl.h \
	src/cmd/ctl_ask.c src/cmd/ctl_info.c src/cmd/ctl_generate.c \
	src/cmd/ctl_lines.c src/cmd/ctl_lines.h src/cmd/ctl_texts.c \
	src/cmd/ctl_input.c src/cmd/ctl_input.h
dragomanctl_LDADD = libtext.a libbase.a $(DRAGOMAN_LIBS)

# dragoman
bin_PROGRAMS += dragoman
dragoman_SOURCES = \
	src/cmd/dragoman.c src/cmd/cmd.c src/cmd/cmd.h \
	src/cmd/cmd_stream.c src/cmd/cmd_stream.h \
	src/cmd/ctl_input.c src/cmd/ctl_input.h \
	src/cmd/dragoman_train.c \
	src/cmd/dragoman_evaluate.c src/cmd/evaluate.h \
	src/cmd/evaluate_translation.c src/cmd/evaluate_classification.c \
	src/cmd/evaluate_generation.c \
	src/cmd/evaluate_tagging.c src/cmd/evaluate_regression.c \
	src/cmd/evaluate_hypotheses.c src/cmd/evaluate_scoring.c \
	src/cmd/scores.c src/cmd/scores.h \
	src/cmd/test_set.c src/cmd/test_set.h \
	src/cmd/text_lines.c src/cmd/text_lines.h \
	src/cmd/references.c src/cmd/references.h \
	src/cmd/dragoman_translate.c \
	src/cmd/translate_text.c src/cmd/translate_text.h \
	src/cmd/dragoman_classify.c src/cmd/dragoman_generate.c \
	src/cmd/dragoman_tag.c src/cmd/dragoman_regress.c \
	src/cmd/dragoman_tokenize.c src/cmd/dragoman_quantize.c \
	src/cmd/dragoman_inspect.c src/cmd/inspect.h src/cmd/inspect_page.c \
	src/cmd/inspect_cells.c src/cmd/inspect_attention.c src/cmd/inspect_explain.c \
	src/cmd/cells_rank.c src/cmd/cells_rank.h \
	src/cmd/cells_page.c src/cmd/cells_page.h src/cmd/cells_script.c
dragoman_LDADD = libtrain.a libmodel.a libnn.a libtext.a libbase.a $(DRAGOMAN_LIBS)

# The daemon.
sbin_PROGRAMS += dragomand
dragomand_SOURCES = src/cmd/dragomand.c
dragomand_LDADD = libserve.a libmodel.a libnn.a libtext.a libbase.a $(DRAGOMAN_LIBS)

noinst_LIBRARIES += libtrain.a
libtrain_a_SOURCES = \
	src/train/metric.c src/train/metric.h \
	src/train/metric_bleu.c src/train/metric_chrf.c \
	src/train/metric_bootstrap.c src/train/metric_bootstrap.h \
	src/train/metric_confusion.c src/train/metric_segment.h \
	src/train/metric_regression.c \
	src/train/metric_ngram.c src/train/metric_ngram.h \
	src/train/metric_text.c src/train/metric_text.h \
	src/train/metric_rank.c src/train/metric_rank.h \
	src/train/recipe.c src/train/recipe.h \
	src/train/schedule.c src/train/schedule.h \
	src/train/batch.c src/train/batch.h \
	src/train/bayes.c src/train/bayes.h \
	src/train/calibration.c src/train/calibration.h \
	src/train/checkpoint.c src/train/checkpoint.h \
	src/train/trainer.c src/train/trainer.h \
	src/train/trainer_update.c src/train/trainer_score.c src/train/trainer_parts.h \
	src/train/translation_score.c src/train/translation_score.h \
	src/train/task.c src/train/task.h \
	src/train/task_ids.c \
	src/train/labels.c src/train/labels.h \
	src/train/bag_data.c src/train/bag_data.h \
	src/train/bag_scores.c src/train/bag_scores.h \
	src/train/bag_learner.c src/train/bag_learner.h src/train/bag_task.c \
	src/train/translation.c src/train/classification.c \
	src/train/generation.c src/train/generation_stream.c \
	src/train/generation_lines.c src/train/generation_sample.c \
	src/train/generation_parts.h \
	src/train/tagging.c src/train/tagged_texts.c src/train/tagged_texts.h \
	src/train/label_set.c src/train/label_set.h \
	src/train/regression.c src/train/sequences.c src/train/sequences.h \
	src/train/translation_sample.c src/train/translation_sample.h \
	src/train/history.c src/train/history.h \
	src/train/journal.c src/train/journal.h \
	src/train/journal_lines.c src/train/journal_lines.h \
	src/train/report.c src/train/report.h src/train/report_samples.c \
	src/train/html.c src/train/html.h \
	src/train/chart.c src/train/chart.h src/train/chart_heat.c \
	src/train/chart_axis.c src/train/chart_axis.h \
	src/train/train.c src/train/train.h

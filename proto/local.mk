# The protocol: its document, schemas, and transcripts that tests/blackbox replays.
EXTRA_DIST += proto/protocol.md proto/transcripts/README.md \
	proto/schema/admin.log.params.json proto/schema/admin.log.result.json \
	proto/schema/admin.reload.params.json proto/schema/admin.reload.result.json \
	proto/schema/answer.json \
	proto/schema/classify.params.json proto/schema/classify.result.json \
	proto/schema/error.json \
	proto/schema/generate.params.json proto/schema/generate.result.json \
	proto/schema/generate.delta.params.json proto/schema/notification.json \
	proto/schema/health.params.json proto/schema/health.result.json \
	proto/schema/models.params.json proto/schema/models.result.json \
	proto/schema/regress.params.json proto/schema/regress.result.json \
	proto/schema/request.json \
	proto/schema/stats.params.json proto/schema/stats.result.json \
	proto/schema/tag.params.json proto/schema/tag.result.json \
	proto/schema/translate.params.json proto/schema/translate.result.json \
	proto/schema/version.params.json proto/schema/version.result.json \
	proto/transcripts/classify.ndjson \
	proto/transcripts/connection.ndjson \
	proto/transcripts/draining.ndjson \
	proto/transcripts/draining-in-a-hurry.ndjson \
	proto/transcripts/errors.ndjson \
	proto/transcripts/generate.ndjson \
	proto/transcripts/information.ndjson \
	proto/transcripts/limits.ndjson \
	proto/transcripts/requests.ndjson \
	proto/transcripts/shapes.ndjson \
	proto/transcripts/shipped.ndjson \
	proto/transcripts/translate.ndjson

EXTRA_DIST += proto/protocol.md

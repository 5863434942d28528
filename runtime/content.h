/* Which bytes a model file has, all of them: what the files of the cache are named after, so that one that is there is
 * the one wanted, however the model was copied, touched, moved or edited. (A fingerprint sees the ends of tensors only:
 * it tells a plan's user that he has taken another model, in a millisecond.)
 *
 * Reading all of a file takes time, if less than laying it out. So the cache folder remembers the contents of a file
 * that it has seen, by what the file system says of it (struct greta_gguf_file), where that can be relied on. */
#ifndef GRETA_CONTENT_H
#define GRETA_CONTENT_H

#include "models/gguf.h"
#include "runtime/greta.h"

#define GRETA_CONTENT_BYTES 16

struct greta_content {
	uint8_t hash[GRETA_CONTENT_BYTES]; /* XXH3-128 over the XXH3-128s of each 16 MiB of the file */
};

/* Finds out, as remembered in `folder`, or by reading the file in up to `threads` threads (0: one for each processor);
 * `progress`, which may be NULL, is then told "reading the model". False without memory. */
bool greta_content_find(struct greta_content *out_content, const struct greta_gguf *gguf, const char *folder,
			unsigned threads, greta_progress *progress, void *user);

/* Whether the file still has these contents: asked after something was made from it,
 * before that is kept under their name. */
bool greta_content_is(const struct greta_content *content, const struct greta_gguf *gguf, unsigned threads);

#endif

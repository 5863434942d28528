/* What the files of the GGUF reader share.
 *
 *	gguf.c           the file: mapped, closed, told from a changed one
 *	gguf_read.c      its bytes: read once from the front, all of them checked
 *	gguf_metadata.c  keys and tensors: looked up in what was read. */
#ifndef GRETA_GGUF_PRIVATE_H
#define GRETA_GGUF_PRIVATE_H

#include "models/gguf.h"

struct greta_gguf_entry {
	struct greta_gguf_string key;
	enum greta_gguf_kind kind;
	const unsigned char *value; /* a string's or array's length fields included; checked to lie in the file */
	size_t bytes;
};

/* A row of an index sorted by name. */
struct greta_gguf_name {
	struct greta_gguf_string name;
	size_t index;
};

struct greta_gguf {
	char *path;
	const unsigned char *data;
	size_t size;
	void *mapping; /* the same bytes, to be unmapped; or NULL */
	struct greta_gguf_file file; /* when it was opened */
	bool settled;                /* and had not changed for some seconds */

	/* From here on greta_gguf_read sets everything. */
	uint32_t version;
	size_t alignment;
	size_t data_offset;

	size_t n_keys;
	struct greta_gguf_entry *keys;
	struct greta_gguf_name *keys_by_name;

	size_t n_tensors;
	struct greta_gguf_tensor *tensors;
	struct greta_gguf_name *tensors_by_name;
};

/* Reads header, metadata and tensors out of gguf->data and checks them (models/gguf.h says what). Fails with FORMAT,
 * UNSUPPORTED or MEMORY; what was allocated until then is greta_gguf_close's to release. */
enum greta_status greta_gguf_read(struct greta_gguf *gguf, struct greta_error *error);

/* Bytes of one value of this kind; 0 for strings and arrays, whose size varies. */
size_t greta_gguf_kind_bytes(enum greta_gguf_kind kind);

/* Position of `name` in an index sorted by greta_gguf_name_order; SIZE_MAX when it is not there. */
size_t greta_gguf_name_find(const struct greta_gguf_name *names, size_t count, struct greta_gguf_string name);

/* For qsort over struct greta_gguf_name: by bytes, a prefix first. */
int greta_gguf_name_order(const void *a, const void *b);

#endif

/* Writes GGUF files into memory for tests: sound ones by default, damaged ones by setting fields before finishing or by
 * changing bytes after. Ends the test program when memory is short. */
#ifndef GRETA_TEST_GGUF_BUILDER_H
#define GRETA_TEST_GGUF_BUILDER_H

#include "models/gguf.h"

struct bytes {
	unsigned char *data;
	size_t length;
	size_t room;
};

struct builder {
	char magic[4];
	uint32_t version;
	uint64_t n_keys, n_tensors; /* counted along; may be changed before builder_finish */
	size_t alignment;           /* of offsets; written only when key("general.alignment") is added by the test */
	struct bytes keys, tensors, data;
	struct bytes file; /* the result */
};

void builder_init(struct builder *builder);
void builder_free(struct builder *builder);

void put(struct bytes *bytes, const void *data, size_t length);
void put_u32(struct bytes *bytes, uint32_t value);
void put_u64(struct bytes *bytes, uint64_t value);
void put_string(struct bytes *bytes, const char *text);

/* A key of any kind: name and kind; the value's bytes are put into builder->keys by the caller. */
void add_key(struct builder *builder, const char *key, uint32_t kind);
void add_u32(struct builder *builder, const char *key, uint32_t value);
void add_f32(struct builder *builder, const char *key, float value);
void add_bool(struct builder *builder, const char *key, bool value);
void add_text(struct builder *builder, const char *key, const char *value);
void add_array(struct builder *builder, const char *key, uint32_t kind, uint64_t count);

/* A tensor as announced, its data not added. */
void add_tensor_info(struct builder *builder, const char *name, uint32_t n_dims, const uint64_t *dims, uint32_t type,
		     uint64_t offset);

/* A tensor of [columns] or, with rows > 0, [columns, rows], with `type`'s amount of data, all bytes `fill`. */
void add_tensor(struct builder *builder, const char *name, enum greta_type type, uint64_t columns, uint64_t rows,
		unsigned char fill);

/* Joins the parts into builder->file and opens it. */
void builder_finish(struct builder *builder);
enum greta_status builder_open(struct builder *builder, struct greta_gguf **out_gguf, struct greta_error *error);

#endif

#include "gguf_builder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void builder_init(struct builder *builder)
{
	memset(builder, 0, sizeof(*builder));
	memcpy(builder->magic, "GGUF", 4);
	builder->version = 3;
	builder->alignment = 32;
}

void builder_free(struct builder *builder)
{
	free(builder->keys.data);
	free(builder->tensors.data);
	free(builder->data.data);
	free(builder->file.data);
}

void put(struct bytes *bytes, const void *data, size_t length)
{
	if (bytes->room - bytes->length < length) {
		bytes->room = 2 * bytes->room + length + 64;
		bytes->data = realloc(bytes->data, bytes->room);
		if (!bytes->data) {
			fprintf(stderr, "out of memory\n");
			exit(2);
		}
	}
	if (length)
		memcpy(bytes->data + bytes->length, data, length);
	bytes->length += length;
}

void put_u32(struct bytes *bytes, uint32_t value)
{
	put(bytes, &value, sizeof(value));
}

void put_u64(struct bytes *bytes, uint64_t value)
{
	put(bytes, &value, sizeof(value));
}

void put_string(struct bytes *bytes, const char *text)
{
	put_u64(bytes, strlen(text));
	put(bytes, text, strlen(text));
}

static void put_padding(struct bytes *bytes, size_t alignment)
{
	while (bytes->length % alignment)
		put(bytes, "", 1);
}

void add_key(struct builder *builder, const char *key, uint32_t kind)
{
	put_string(&builder->keys, key);
	put_u32(&builder->keys, kind);
	builder->n_keys++;
}

void add_u32(struct builder *builder, const char *key, uint32_t value)
{
	add_key(builder, key, GRETA_GGUF_UINT32);
	put_u32(&builder->keys, value);
}

void add_f32(struct builder *builder, const char *key, float value)
{
	add_key(builder, key, GRETA_GGUF_FLOAT32);
	put(&builder->keys, &value, sizeof(value));
}

void add_bool(struct builder *builder, const char *key, bool value)
{
	add_key(builder, key, GRETA_GGUF_BOOL);
	put(&builder->keys, value ? "\1" : "\0", 1);
}

void add_text(struct builder *builder, const char *key, const char *value)
{
	add_key(builder, key, GRETA_GGUF_STRING);
	put_string(&builder->keys, value);
}

void add_array(struct builder *builder, const char *key, uint32_t kind, uint64_t count)
{
	add_key(builder, key, GRETA_GGUF_ARRAY);
	put_u32(&builder->keys, kind);
	put_u64(&builder->keys, count);
}

void add_tensor_info(struct builder *builder, const char *name, uint32_t n_dims, const uint64_t *dims, uint32_t type,
		     uint64_t offset)
{
	put_string(&builder->tensors, name);
	put_u32(&builder->tensors, n_dims);
	for (uint32_t d = 0; d < n_dims; d++)
		put_u64(&builder->tensors, dims[d]);
	put_u32(&builder->tensors, type);
	put_u64(&builder->tensors, offset);
	builder->n_tensors++;
}

void add_tensor(struct builder *builder, const char *name, enum greta_type type, uint64_t columns, uint64_t rows,
		unsigned char fill)
{
	const struct greta_type_info *info = greta_type_info(type);
	uint64_t dims[2] = {columns, rows};
	put_padding(&builder->data, builder->alignment);
	add_tensor_info(builder, name, rows ? 2 : 1, dims, type, builder->data.length);
	uint64_t bytes = columns / info->block_values * info->block_bytes * (rows ? rows : 1);
	for (uint64_t i = 0; i < bytes; i++)
		put(&builder->data, &fill, 1);
}

void builder_finish(struct builder *builder)
{
	builder->file.length = 0;
	put(&builder->file, builder->magic, 4);
	put_u32(&builder->file, builder->version);
	put_u64(&builder->file, builder->n_tensors);
	put_u64(&builder->file, builder->n_keys);
	put(&builder->file, builder->keys.data, builder->keys.length);
	put(&builder->file, builder->tensors.data, builder->tensors.length);
	put_padding(&builder->file, builder->alignment);
	put(&builder->file, builder->data.data, builder->data.length);
}

enum greta_status builder_open(struct builder *builder, struct greta_gguf **out_gguf, struct greta_error *error)
{
	builder_finish(builder);
	return greta_gguf_open_memory(builder->file.data, builder->file.length, "test.gguf", out_gguf, error);
}

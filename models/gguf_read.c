#include "models/gguf.h"
#include "models/gguf_private.h"

#include <stdlib.h>
#include <string.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "GGUF is read in place: little-endian machines only");

enum {
	DEFAULT_ALIGNMENT = 32,
	SMALLEST_ALIGNMENT = 8,
	DEEPEST_ARRAY = 4,
	/* the fewest bytes that one of these takes in a file */
	SMALLEST_KEY = 8 + 1 + 4 + 1,
	SMALLEST_TENSOR = 8 + 1 + 4 + 8 + 4 + 8,
	SMALLEST_STRING = 8,
	SMALLEST_ARRAY = 4 + 8,
};

static const char SUPPORTED_TYPES[] =
#define X(name, id, spelling, values, bytes) " " spelling
    GRETA_TYPES(X)
#undef X
    ;

/* A place in the file, and what is being read there, for messages. */
struct reader {
	struct greta_gguf *gguf;
	struct greta_error *error;
	size_t at;
	const char *what; /* "the header", "key", "tensor" */
	size_t index;
	struct greta_gguf_string name; /* empty until known */
};

static size_t left(const struct reader *reader)
{
	return reader->gguf->size - reader->at;
}

/* Says what is wrong with the key or tensor at hand. */
#define FAIL_AT(reader, status, format, ...)                                                                       \
	greta_fail((reader)->error, status, "%s: %s %zu %.*s: " format, (reader)->gguf->path, (reader)->what,      \
		   (reader)->index, GRETA_GGUF_PRINT((reader)->name), __VA_ARGS__)

static enum greta_status truncated(const struct reader *reader)
{
	if (reader->name.length == 0)
		return greta_fail(reader->error, GRETA_ERROR_FORMAT, "%s: the file ends inside %s %zu",
				  reader->gguf->path, reader->what, reader->index);
	return FAIL_AT(reader, GRETA_ERROR_FORMAT, "%s", "reaches beyond the end of the file");
}

static enum greta_status read_bytes(struct reader *reader, void *out, size_t bytes)
{
	if (left(reader) < bytes)
		return truncated(reader);
	memcpy(out, reader->gguf->data + reader->at, bytes);
	reader->at += bytes;
	return GRETA_OK;
}

static enum greta_status read_u32(struct reader *reader, uint32_t *out)
{
	return read_bytes(reader, out, sizeof(*out));
}

static enum greta_status read_u64(struct reader *reader, uint64_t *out)
{
	return read_bytes(reader, out, sizeof(*out));
}

static enum greta_status read_string(struct reader *reader, struct greta_gguf_string *out)
{
	uint64_t length = 0;
	enum greta_status status = read_u64(reader, &length);
	if (status)
		return status;
	if (length > left(reader))
		return truncated(reader);
	out->data = (const char *)reader->gguf->data + reader->at;
	out->length = (size_t)length;
	reader->at += (size_t)length;
	return GRETA_OK;
}

/* The name of a key or tensor: it goes into messages and comparisons, so it has to be printable. */
static enum greta_status read_name(struct reader *reader)
{
	struct greta_gguf_string name = {0};
	enum greta_status status = read_string(reader, &name);
	if (status)
		return status;
	if (name.length == 0)
		return greta_fail(reader->error, GRETA_ERROR_FORMAT, "%s: %s %zu has an empty name",
				  reader->gguf->path, reader->what, reader->index);
	for (size_t i = 0; i < name.length; i++)
		if (name.data[i] < 0x20 || name.data[i] > 0x7e)
			return greta_fail(reader->error, GRETA_ERROR_FORMAT,
					  "%s: the name of %s %zu is not printable ASCII", reader->gguf->path,
					  reader->what, reader->index);
	reader->name = name;
	return GRETA_OK;
}

static enum greta_status read_kind(struct reader *reader, enum greta_gguf_kind *out)
{
	uint32_t kind = 0;
	enum greta_status status = read_u32(reader, &kind);
	if (status)
		return status;
	if (kind > GRETA_GGUF_FLOAT64)
		return FAIL_AT(reader, GRETA_ERROR_FORMAT, "value type %u is none that GGUF has", kind);
	*out = (enum greta_gguf_kind)kind;
	return GRETA_OK;
}

static enum greta_status skip_value(struct reader *reader, enum greta_gguf_kind kind, int depth);

static enum greta_status skip_array(struct reader *reader, int depth)
{
	enum greta_gguf_kind kind = GRETA_GGUF_UINT8;
	uint64_t count = 0;
	enum greta_status status;
	if ((status = read_kind(reader, &kind)) || (status = read_u64(reader, &count)))
		return status;
	if (depth == DEEPEST_ARRAY)
		return FAIL_AT(reader, GRETA_ERROR_UNSUPPORTED, "arrays nested more than %d deep", DEEPEST_ARRAY);

	size_t fixed = greta_gguf_kind_bytes(kind);
	size_t smallest = fixed ? fixed : kind == GRETA_GGUF_STRING ? SMALLEST_STRING : SMALLEST_ARRAY;
	if (count > left(reader) / smallest)
		return truncated(reader);
	if (fixed) {
		reader->at += (size_t)count * fixed;
		return GRETA_OK;
	}
	for (uint64_t i = 0; i < count; i++)
		if ((status = skip_value(reader, kind, depth + 1)))
			return status;
	return GRETA_OK;
}

static enum greta_status skip_value(struct reader *reader, enum greta_gguf_kind kind, int depth)
{
	struct greta_gguf_string string;
	if (kind == GRETA_GGUF_STRING)
		return read_string(reader, &string);
	if (kind == GRETA_GGUF_ARRAY)
		return skip_array(reader, depth);
	size_t bytes = greta_gguf_kind_bytes(kind);
	if (left(reader) < bytes)
		return truncated(reader);
	reader->at += bytes;
	return GRETA_OK;
}

static enum greta_status read_keys(struct reader *reader)
{
	struct greta_gguf *gguf = reader->gguf;
	reader->what = "key";
	for (size_t i = 0; i < gguf->n_keys; i++) {
		struct greta_gguf_entry *entry = &gguf->keys[i];
		enum greta_status status;
		reader->index = i;
		reader->name.length = 0;
		if ((status = read_name(reader)) || (status = read_kind(reader, &entry->kind)))
			return status;
		entry->key = reader->name;
		entry->value = gguf->data + reader->at;
		if ((status = skip_value(reader, entry->kind, 0)))
			return status;
		entry->bytes = (size_t)(gguf->data + reader->at - entry->value);
		gguf->keys_by_name[i] = (struct greta_gguf_name){entry->key, i};
	}
	return GRETA_OK;
}

static enum greta_status read_dims(struct reader *reader, struct greta_gguf_tensor *tensor)
{
	enum greta_status status = read_u32(reader, &tensor->n_dims);
	if (status)
		return status;
	if (tensor->n_dims < 1 || tensor->n_dims > 4)
		return FAIL_AT(reader, GRETA_ERROR_FORMAT, "%u dimensions; 1 to 4 are allowed", tensor->n_dims);
	for (uint32_t d = 0; d < 4; d++) {
		tensor->dims[d] = 1;
		if (d < tensor->n_dims && (status = read_u64(reader, &tensor->dims[d])))
			return status;
		if (tensor->dims[d] == 0)
			return FAIL_AT(reader, GRETA_ERROR_FORMAT, "dimension %u is zero", d);
	}
	return GRETA_OK;
}

static enum greta_status read_type(struct reader *reader, struct greta_gguf_tensor *tensor)
{
	uint32_t type = 0;
	enum greta_status status = read_u32(reader, &type);
	if (status)
		return status;
	tensor->type = greta_type_info(type);
	if (!tensor->type)
		return FAIL_AT(reader, GRETA_ERROR_UNSUPPORTED, "type %u is not supported (these are:%s)", type,
			       SUPPORTED_TYPES);

	uint64_t values = tensor->dims[0];
	bool overflow = false;
	for (uint32_t d = 1; d < 4; d++)
		overflow |= __builtin_mul_overflow(values, tensor->dims[d], &values);
	if (tensor->dims[0] % tensor->type->block_values)
		return FAIL_AT(reader, GRETA_ERROR_FORMAT, "rows of %llu values are not whole %s blocks of %u",
			       (unsigned long long)tensor->dims[0], tensor->type->name, tensor->type->block_values);
	overflow |= __builtin_mul_overflow(values / tensor->type->block_values, tensor->type->block_bytes,
					   &tensor->bytes);
	if (overflow)
		return FAIL_AT(reader, GRETA_ERROR_FORMAT, "%s", "its dimensions multiply to more than 64 bits");
	return GRETA_OK;
}

static enum greta_status read_tensors(struct reader *reader)
{
	struct greta_gguf *gguf = reader->gguf;
	reader->what = "tensor";
	for (size_t i = 0; i < gguf->n_tensors; i++) {
		struct greta_gguf_tensor *tensor = &gguf->tensors[i];
		enum greta_status status;
		uint64_t offset = 0;
		reader->index = i;
		reader->name.length = 0;
		if ((status = read_name(reader)) || (status = read_dims(reader, tensor)) ||
		    (status = read_type(reader, tensor)) || (status = read_u64(reader, &offset)))
			return status;
		tensor->name = reader->name;
		tensor->offset = (size_t)offset; /* from the data section's start until place_tensors */
		if (tensor->offset % gguf->alignment)
			return FAIL_AT(reader, GRETA_ERROR_FORMAT, "offset %zu is not a multiple of the alignment %zu",
				       tensor->offset, gguf->alignment);
		gguf->tensors_by_name[i] = (struct greta_gguf_name){tensor->name, i};
	}
	return GRETA_OK;
}

/* Sorts an index and refuses names that stand there twice. */
static enum greta_status index_names(const struct reader *reader, struct greta_gguf_name *names, size_t count)
{
	if (count > 1)
		qsort(names, count, sizeof(*names), greta_gguf_name_order);
	for (size_t i = 1; i < count; i++)
		if (greta_gguf_name_order(&names[i - 1], &names[i]) == 0)
			return greta_fail(reader->error, GRETA_ERROR_FORMAT, "%s: %s %.*s appears twice",
					  reader->gguf->path, reader->what, GRETA_GGUF_PRINT(names[i].name));
	return GRETA_OK;
}

static enum greta_status read_alignment(const struct reader *reader)
{
	struct greta_gguf *gguf = reader->gguf;
	uint32_t alignment;
	enum greta_status status =
	    greta_gguf_get_u32_or(gguf, "general.alignment", DEFAULT_ALIGNMENT, &alignment, reader->error);
	if (status)
		return status;
	if (alignment < SMALLEST_ALIGNMENT || (alignment & (alignment - 1)))
		return greta_fail(reader->error, GRETA_ERROR_FORMAT,
				  "%s: key general.alignment: %u is not a power of two of at least %d", gguf->path,
				  alignment, SMALLEST_ALIGNMENT);
	gguf->alignment = alignment;
	return GRETA_OK;
}

static int tensor_offset_order(const void *a, const void *b)
{
	const struct greta_gguf_tensor *const *left_tensor = a, *const *right_tensor = b;
	if ((*left_tensor)->offset != (*right_tensor)->offset)
		return (*left_tensor)->offset < (*right_tensor)->offset ? -1 : 1;
	return 0;
}

static enum greta_status refuse_overlap(const struct reader *reader)
{
	struct greta_gguf *gguf = reader->gguf;
	enum greta_status status = GRETA_OK;
	const struct greta_gguf_tensor **sorted = calloc(gguf->n_tensors, sizeof(const struct greta_gguf_tensor *));
	if (!sorted)
		return greta_fail(reader->error, GRETA_ERROR_MEMORY, "%s: out of memory", gguf->path);
	for (size_t i = 0; i < gguf->n_tensors; i++)
		sorted[i] = &gguf->tensors[i];
	qsort(sorted, gguf->n_tensors, sizeof(const struct greta_gguf_tensor *), tensor_offset_order);
	for (size_t i = 1; i < gguf->n_tensors && !status; i++)
		if (sorted[i]->offset - sorted[i - 1]->offset < sorted[i - 1]->bytes)
			status = greta_fail(reader->error, GRETA_ERROR_FORMAT, "%s: tensors %.*s and %.*s overlap",
					    gguf->path, GRETA_GGUF_PRINT(sorted[i - 1]->name),
					    GRETA_GGUF_PRINT(sorted[i]->name));
	free(sorted);
	return status;
}

/* Metadata ends here: finds the data section and puts every tensor into it. */
static enum greta_status place_tensors(struct reader *reader)
{
	struct greta_gguf *gguf = reader->gguf;
	size_t padding = (gguf->alignment - reader->at % gguf->alignment) % gguf->alignment;
	gguf->data_offset = left(reader) < padding ? gguf->size : reader->at + padding;
	if (gguf->n_tensors == 0)
		return GRETA_OK;

	size_t room = gguf->size - gguf->data_offset;
	for (size_t i = 0; i < gguf->n_tensors; i++) {
		struct greta_gguf_tensor *tensor = &gguf->tensors[i];
		reader->index = i;
		reader->name = tensor->name;
		if (tensor->offset > room || tensor->bytes > room - tensor->offset)
			return truncated(reader);
		tensor->offset += gguf->data_offset;
		tensor->data = gguf->data + tensor->offset;
	}
	return refuse_overlap(reader);
}

static enum greta_status read_header(struct reader *reader, uint64_t *out_n_tensors, uint64_t *out_n_keys)
{
	struct greta_gguf *gguf = reader->gguf;
	enum greta_status status;
	reader->what = "header field";

	if (gguf->size < 4 || memcmp(gguf->data, "GGUF", 4) != 0)
		return greta_fail(reader->error, GRETA_ERROR_FORMAT, "%s: not a GGUF file", gguf->path);
	reader->at = 4;
	if ((status = read_u32(reader, &gguf->version)))
		return status;
	if (gguf->version && (gguf->version & 0xffff) == 0)
		return greta_fail(reader->error, GRETA_ERROR_UNSUPPORTED,
				  "%s: a big-endian GGUF file; convert it to little-endian", gguf->path);
	if (gguf->version != 2 && gguf->version != 3)
		return greta_fail(reader->error, GRETA_ERROR_UNSUPPORTED,
				  "%s: GGUF version %u is not supported (2 and 3 are); convert the model again",
				  gguf->path, gguf->version);
	if ((status = read_u64(reader, out_n_tensors)) || (status = read_u64(reader, out_n_keys)))
		return status;
	if (*out_n_keys > left(reader) / SMALLEST_KEY || *out_n_tensors > left(reader) / SMALLEST_TENSOR)
		return greta_fail(reader->error, GRETA_ERROR_FORMAT,
				  "%s: the file is too short for the %llu keys and %llu tensors it announces",
				  gguf->path, (unsigned long long)*out_n_keys, (unsigned long long)*out_n_tensors);
	return GRETA_OK;
}

enum greta_status greta_gguf_read(struct greta_gguf *gguf, struct greta_error *error)
{
	struct reader reader = {.gguf = gguf, .error = error};
	uint64_t n_tensors = 0, n_keys = 0;
	enum greta_status status = read_header(&reader, &n_tensors, &n_keys);
	if (status)
		return status;

	gguf->keys = calloc(n_keys + 1, sizeof(*gguf->keys));
	gguf->keys_by_name = calloc(n_keys + 1, sizeof(*gguf->keys_by_name));
	gguf->tensors = calloc(n_tensors + 1, sizeof(*gguf->tensors));
	gguf->tensors_by_name = calloc(n_tensors + 1, sizeof(*gguf->tensors_by_name));
	if (!gguf->keys || !gguf->keys_by_name || !gguf->tensors || !gguf->tensors_by_name)
		return greta_fail(error, GRETA_ERROR_MEMORY, "%s: out of memory", gguf->path);
	gguf->n_keys = (size_t)n_keys;
	gguf->n_tensors = (size_t)n_tensors;

	if ((status = read_keys(&reader)) || (status = index_names(&reader, gguf->keys_by_name, gguf->n_keys)) ||
	    (status = read_alignment(&reader)) || (status = read_tensors(&reader)) ||
	    (status = index_names(&reader, gguf->tensors_by_name, gguf->n_tensors)))
		return status;
	return place_tensors(&reader);
}

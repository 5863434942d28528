#include "models/gguf.h"
#include "models/gguf_private.h"

#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name;
	size_t bytes;
} KINDS[] = {
    [GRETA_GGUF_UINT8] = {"uint8", 1},     [GRETA_GGUF_INT8] = {"int8", 1},       [GRETA_GGUF_UINT16] = {"uint16", 2},
    [GRETA_GGUF_INT16] = {"int16", 2},     [GRETA_GGUF_UINT32] = {"uint32", 4},   [GRETA_GGUF_INT32] = {"int32", 4},
    [GRETA_GGUF_FLOAT32] = {"float32", 4}, [GRETA_GGUF_BOOL] = {"bool", 1},       [GRETA_GGUF_STRING] = {"string", 0},
    [GRETA_GGUF_ARRAY] = {"array", 0},     [GRETA_GGUF_UINT64] = {"uint64", 8},   [GRETA_GGUF_INT64] = {"int64", 8},
    [GRETA_GGUF_FLOAT64] = {"float64", 8},
};

const char *greta_gguf_kind_name(enum greta_gguf_kind kind)
{
	return (size_t)kind < sizeof(KINDS) / sizeof(KINDS[0]) ? KINDS[kind].name : "unknown";
}

size_t greta_gguf_kind_bytes(enum greta_gguf_kind kind)
{
	return KINDS[kind].bytes;
}

bool greta_gguf_string_is(struct greta_gguf_string s, const char *text)
{
	return strlen(text) == s.length && memcmp(s.data, text, s.length) == 0;
}

static int string_order(struct greta_gguf_string a, struct greta_gguf_string b)
{
	int order = memcmp(a.data, b.data, a.length < b.length ? a.length : b.length);
	if (order)
		return order;
	return a.length < b.length ? -1 : a.length > b.length;
}

int greta_gguf_name_order(const void *a, const void *b)
{
	const struct greta_gguf_name *first = a, *second = b;
	return string_order(first->name, second->name);
}

size_t greta_gguf_name_find(const struct greta_gguf_name *names, size_t count, struct greta_gguf_string name)
{
	struct greta_gguf_name wanted = {.name = name};
	const struct greta_gguf_name *found =
	    count ? bsearch(&wanted, names, count, sizeof(*names), greta_gguf_name_order) : NULL;
	return found ? found->index : SIZE_MAX;
}

size_t greta_gguf_key_count(const struct greta_gguf *gguf)
{
	return gguf->n_keys;
}

struct greta_gguf_string greta_gguf_key(const struct greta_gguf *gguf, size_t i)
{
	return gguf->keys[i].key;
}

enum greta_gguf_kind greta_gguf_key_kind(const struct greta_gguf *gguf, size_t i)
{
	return gguf->keys[i].kind;
}

size_t greta_gguf_tensor_count(const struct greta_gguf *gguf)
{
	return gguf->n_tensors;
}

const struct greta_gguf_tensor *greta_gguf_tensor(const struct greta_gguf *gguf, size_t i)
{
	return &gguf->tensors[i];
}

const struct greta_gguf_tensor *greta_gguf_find(const struct greta_gguf *gguf, const char *name)
{
	struct greta_gguf_string wanted = {name, strlen(name)};
	size_t i = greta_gguf_name_find(gguf->tensors_by_name, gguf->n_tensors, wanted);
	return i == SIZE_MAX ? NULL : &gguf->tensors[i];
}

/* An integer of any of GGUF's types: the value is magnitude, or minus magnitude when negative. */
struct integer {
	bool negative;
	uint64_t magnitude;
};

static struct integer from_signed(int64_t value)
{
	return (struct integer){value < 0, value < 0 ? 0 - (uint64_t)value : (uint64_t)value};
}

#define LOAD(type, from)                            \
	({                                          \
		type loaded;                        \
		memcpy(&loaded, from, sizeof(loaded)); \
		loaded;                             \
	})

/* False when the kind is no integer. */
static bool load_integer(enum greta_gguf_kind kind, const unsigned char *from, struct integer *out)
{
	switch (kind) {
	case GRETA_GGUF_UINT8:
		*out = (struct integer){false, *from};
		return true;
	case GRETA_GGUF_UINT16:
		*out = (struct integer){false, LOAD(uint16_t, from)};
		return true;
	case GRETA_GGUF_UINT32:
		*out = (struct integer){false, LOAD(uint32_t, from)};
		return true;
	case GRETA_GGUF_UINT64:
		*out = (struct integer){false, LOAD(uint64_t, from)};
		return true;
	case GRETA_GGUF_INT8:
		*out = from_signed(LOAD(int8_t, from));
		return true;
	case GRETA_GGUF_INT16:
		*out = from_signed(LOAD(int16_t, from));
		return true;
	case GRETA_GGUF_INT32:
		*out = from_signed(LOAD(int32_t, from));
		return true;
	case GRETA_GGUF_INT64:
		*out = from_signed(LOAD(int64_t, from));
		return true;
	default:
		return false;
	}
}

int64_t greta_gguf_array_int(const struct greta_gguf_array *array, size_t i)
{
	const unsigned char *from = array->data + i * KINDS[array->kind].bytes;
	struct integer value;
	if (!load_integer(array->kind, from, &value))
		return array->kind == GRETA_GGUF_BOOL && *from != 0;
	if (value.negative)
		return -(int64_t)(value.magnitude - 1) - 1;
	return value.magnitude > INT64_MAX ? INT64_MAX : (int64_t)value.magnitude;
}

double greta_gguf_array_float(const struct greta_gguf_array *array, size_t i)
{
	const unsigned char *from = array->data + i * KINDS[array->kind].bytes;
	if (array->kind == GRETA_GGUF_FLOAT32)
		return LOAD(float, from);
	if (array->kind == GRETA_GGUF_FLOAT64)
		return LOAD(double, from);
	return (double)greta_gguf_array_int(array, i);
}

bool greta_gguf_array_next_string(struct greta_gguf_array *array, struct greta_gguf_string *out_string)
{
	if (array->count == 0)
		return false;
	out_string->length = (size_t)LOAD(uint64_t, array->data);
	out_string->data = (const char *)array->data + sizeof(uint64_t);
	size_t taken = sizeof(uint64_t) + out_string->length;
	array->data += taken;
	array->bytes -= taken;
	array->count--;
	return true;
}

static const struct greta_gguf_entry *lookup(const struct greta_gguf *gguf, const char *key)
{
	struct greta_gguf_string wanted = {key, strlen(key)};
	size_t i = greta_gguf_name_find(gguf->keys_by_name, gguf->n_keys, wanted);
	return i == SIZE_MAX ? NULL : &gguf->keys[i];
}

bool greta_gguf_has(const struct greta_gguf *gguf, const char *key)
{
	return lookup(gguf, key) != NULL;
}

static enum greta_status missing(const struct greta_gguf *gguf, const char *key, struct greta_error *error)
{
	return greta_fail(error, GRETA_ERROR_FORMAT, "%s: key %s is missing", gguf->path, key);
}

static enum greta_status wrong_kind(const struct greta_gguf *gguf, const char *key, enum greta_gguf_kind kind,
				    const char *wanted, struct greta_error *error)
{
	return greta_fail(error, GRETA_ERROR_FORMAT, "%s: key %s is of type %s, where %s is expected", gguf->path, key,
			  greta_gguf_kind_name(kind), wanted);
}

static enum greta_status get_unsigned(const struct greta_gguf *gguf, const char *key, uint64_t most, uint64_t *out,
				      struct greta_error *error)
{
	const struct greta_gguf_entry *entry = lookup(gguf, key);
	struct integer value;
	if (!entry)
		return missing(gguf, key, error);
	if (!load_integer(entry->kind, entry->value, &value))
		return wrong_kind(gguf, key, entry->kind, "an integer", error);
	if (value.negative || value.magnitude > most)
		return greta_fail(error, GRETA_ERROR_FORMAT, "%s: key %s: %s%llu is not within 0 to %llu", gguf->path,
				  key, value.negative ? "-" : "", (unsigned long long)value.magnitude,
				  (unsigned long long)most);
	*out = value.magnitude;
	return GRETA_OK;
}

enum greta_status greta_gguf_get_u32(const struct greta_gguf *gguf, const char *key, uint32_t *out,
				     struct greta_error *error)
{
	uint64_t value = 0;
	enum greta_status status = get_unsigned(gguf, key, UINT32_MAX, &value, error);
	if (!status)
		*out = (uint32_t)value;
	return status;
}

enum greta_status greta_gguf_get_u64(const struct greta_gguf *gguf, const char *key, uint64_t *out,
				     struct greta_error *error)
{
	return get_unsigned(gguf, key, UINT64_MAX, out, error);
}

enum greta_status greta_gguf_get_f32(const struct greta_gguf *gguf, const char *key, float *out,
				     struct greta_error *error)
{
	const struct greta_gguf_entry *entry = lookup(gguf, key);
	if (!entry)
		return missing(gguf, key, error);
	if (entry->kind == GRETA_GGUF_FLOAT32)
		*out = LOAD(float, entry->value);
	else if (entry->kind == GRETA_GGUF_FLOAT64)
		*out = (float)LOAD(double, entry->value);
	else
		return wrong_kind(gguf, key, entry->kind, "a float", error);
	return GRETA_OK;
}

enum greta_status greta_gguf_get_bool(const struct greta_gguf *gguf, const char *key, bool *out,
				      struct greta_error *error)
{
	const struct greta_gguf_entry *entry = lookup(gguf, key);
	if (!entry)
		return missing(gguf, key, error);
	if (entry->kind != GRETA_GGUF_BOOL)
		return wrong_kind(gguf, key, entry->kind, "a bool", error);
	*out = *entry->value != 0;
	return GRETA_OK;
}

enum greta_status greta_gguf_get_string(const struct greta_gguf *gguf, const char *key, struct greta_gguf_string *out,
					struct greta_error *error)
{
	const struct greta_gguf_entry *entry = lookup(gguf, key);
	if (!entry)
		return missing(gguf, key, error);
	if (entry->kind != GRETA_GGUF_STRING)
		return wrong_kind(gguf, key, entry->kind, "a string", error);
	out->data = (const char *)entry->value + sizeof(uint64_t);
	out->length = entry->bytes - sizeof(uint64_t);
	return GRETA_OK;
}

enum greta_status greta_gguf_get_array(const struct greta_gguf *gguf, const char *key, struct greta_gguf_array *out,
				       struct greta_error *error)
{
	const struct greta_gguf_entry *entry = lookup(gguf, key);
	if (!entry)
		return missing(gguf, key, error);
	if (entry->kind != GRETA_GGUF_ARRAY)
		return wrong_kind(gguf, key, entry->kind, "an array", error);
	out->kind = (enum greta_gguf_kind)LOAD(uint32_t, entry->value);
	out->count = (size_t)LOAD(uint64_t, entry->value + sizeof(uint32_t));
	out->data = entry->value + sizeof(uint32_t) + sizeof(uint64_t);
	out->bytes = entry->bytes - sizeof(uint32_t) - sizeof(uint64_t);
	return GRETA_OK;
}

enum greta_status greta_gguf_get_u32_or(const struct greta_gguf *gguf, const char *key, uint32_t otherwise,
					uint32_t *out, struct greta_error *error)
{
	if (greta_gguf_has(gguf, key))
		return greta_gguf_get_u32(gguf, key, out, error);
	*out = otherwise;
	return GRETA_OK;
}

enum greta_status greta_gguf_get_f32_or(const struct greta_gguf *gguf, const char *key, float otherwise, float *out,
					struct greta_error *error)
{
	if (greta_gguf_has(gguf, key))
		return greta_gguf_get_f32(gguf, key, out, error);
	*out = otherwise;
	return GRETA_OK;
}

enum greta_status greta_gguf_get_bool_or(const struct greta_gguf *gguf, const char *key, bool otherwise, bool *out,
					 struct greta_error *error)
{
	if (greta_gguf_has(gguf, key))
		return greta_gguf_get_bool(gguf, key, out, error);
	*out = otherwise;
	return GRETA_OK;
}

#include "models/synth.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct greta_synth_shape SHAPES[] = {
    {"llama-2-7b", 32, 4096, 32, 32, 11008, 32000, 4096, 10000, false, false},
    {"llama-2-13b", 40, 5120, 40, 40, 13824, 32000, 4096, 10000, false, false},
    {"llama-2-70b", 80, 8192, 64, 8, 28672, 32000, 4096, 10000, false, false},
    {"tinyllama", 22, 2048, 32, 4, 5632, 32000, 2048, 10000, false, false},
    {"llama-3-8b", 32, 4096, 32, 8, 14336, 128256, 8192, 500000, false, false},
};

static const struct greta_synth_shape CUSTOM = {"", 2, 512, 8, 2, 1024, 512, 512, 10000, false, false};

const char *greta_synth_shape_names(void)
{
	return "llama-2-7b llama-2-13b llama-2-70b tinyllama llama-3-8b";
}

/* One "key=value" into the field it names. */
static enum greta_status set_field(struct greta_synth_shape *shape, const char *item, size_t length,
				   struct greta_error *error)
{
	uint32_t flags[2] = {shape->tied_embeddings, shape->rope_freqs};
	uint32_t rope = (uint32_t)shape->rope_base;
	const struct {
		const char *key;
		uint32_t *field;
		uint32_t least, most;
	} fields[] = {
	    {"embd", &shape->n_embd, 256, 1 << 20}, {"layers", &shape->n_layer, 1, 1024},
	    {"heads", &shape->n_head, 1, 1 << 15},  {"kv", &shape->n_head_kv, 1, 1 << 15},
	    {"ffn", &shape->n_ff, 256, 1 << 20},    {"vocab", &shape->n_vocab, 260, 1 << 24},
	    {"ctx", &shape->context, 1, 1 << 30},   {"rope", &rope, 1, 1 << 24},
	    {"tied", &flags[0], 0, 1},              {"freqs", &flags[1], 0, 1},
	};
	const char *equals = memchr(item, '=', length);
	size_t key_length = equals ? (size_t)(equals - item) : length;
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		if (strlen(fields[i].key) != key_length || memcmp(fields[i].key, item, key_length) != 0)
			continue;
		char digits[16] = "", *end = digits;
		size_t n_digits = equals ? length - key_length - 1 : 0;
		if (n_digits > 0 && n_digits < sizeof(digits) && equals[1] >= '0' && equals[1] <= '9')
			memcpy(digits, equals + 1, n_digits);
		unsigned long long value = strtoull(digits, &end, 10);
		if (end == digits || *end || value < fields[i].least || value > fields[i].most)
			return greta_fail(error, GRETA_ERROR_ARGUMENT,
					  "shape: %.*s: a number from %" PRIu32 " to %" PRIu32 " is expected",
					  (int)length, item, fields[i].least, fields[i].most);
		*fields[i].field = (uint32_t)value;
		shape->tied_embeddings = flags[0];
		shape->rope_freqs = flags[1];
		shape->rope_base = (float)rope;
		return GRETA_OK;
	}
	return greta_fail(error, GRETA_ERROR_ARGUMENT,
			  "shape: %.*s is neither one of %s nor one of embd= layers= heads= kv= ffn= vocab= ctx= rope= "
			  "tied= freqs=",
			  (int)(length < 100 ? length : 100), item, greta_synth_shape_names());
}

static enum greta_status check(const struct greta_synth_shape *shape, struct greta_error *error)
{
	uint32_t head_dim = shape->n_embd / shape->n_head;
	if (shape->n_embd % 256 || shape->n_ff % 256)
		return greta_fail(error, GRETA_ERROR_ARGUMENT, "shape: embd=%u and ffn=%u must be multiples of 256",
				  shape->n_embd, shape->n_ff);
	if (shape->n_head % shape->n_head_kv)
		return greta_fail(error, GRETA_ERROR_ARGUMENT, "shape: heads=%u must be a multiple of kv=%u",
				  shape->n_head, shape->n_head_kv);
	if (shape->n_embd % shape->n_head || head_dim % 32 || head_dim == 0 || head_dim > 256)
		return greta_fail(error, GRETA_ERROR_ARGUMENT,
				  "shape: embd=%u over heads=%u is no head length of a multiple of 32 up to 256",
				  shape->n_embd, shape->n_head);
	return GRETA_OK;
}

/* Whether an item before this one sets the same field. */
static bool is_said_before(const char *text, const char *item)
{
	size_t key = strcspn(item, "=,") + 1; /* with what ends it */
	for (const char *earlier = text; earlier < item; earlier += strcspn(earlier, ",") + 1)
		if (strncmp(earlier, item, key) == 0)
			return true;
	return false;
}

enum greta_status greta_synth_parse_shape(const char *text, struct greta_synth_shape *out_shape,
					  struct greta_error *error)
{
	for (size_t i = 0; i < sizeof(SHAPES) / sizeof(SHAPES[0]); i++) {
		if (strcmp(text, SHAPES[i].name) == 0) {
			*out_shape = SHAPES[i];
			return GRETA_OK;
		}
	}
	struct greta_synth_shape shape = CUSTOM;
	enum greta_status status;
	for (const char *item = text;;) {
		size_t length = strcspn(item, ",");
		if (is_said_before(text, item))
			return greta_fail(error, GRETA_ERROR_ARGUMENT, "shape: %.*s is said twice", (int)strcspn(item, "=,"),
					  item);
		if ((status = set_field(&shape, item, length, error)))
			return status;
		item += length;
		if (!*item++)
			break;
	}
	if ((status = check(&shape, error)))
		return status;
	snprintf(shape.name, sizeof(shape.name), "embd=%u,layers=%u,heads=%u,kv=%u,ffn=%u,vocab=%u,ctx=%u",
		 shape.n_embd, shape.n_layer, shape.n_head, shape.n_head_kv, shape.n_ff, shape.n_vocab, shape.context);
	*out_shape = shape;
	return GRETA_OK;
}

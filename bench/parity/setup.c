#include "bench/parity/setup.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct greta_parity_setup greta_parity_setup_default(void)
{
	return (struct greta_parity_setup){.provider = "auto", .activations = 4};
}

static bool copy(char out[16], const char *text, size_t length)
{
	if (!length || length >= 16)
		return false;
	memcpy(out, text, length);
	out[length] = 0;
	return true;
}

static bool is(const char *word, size_t length, const char *wanted)
{
	return strlen(wanted) == length && !memcmp(word, wanted, length);
}

static bool begins(const char *word, const char *with)
{
	return !strncmp(word, with, strlen(with));
}

/* cpu, ref, gfx942, ... */
static bool read_who(struct greta_parity_setup *setup, const char *word, size_t length)
{
	setup->oracle = is(word, length, "oracle");
	setup->target[0] = setup->kernels[0] = 0;
	if (setup->oracle) {
		/* However it takes them, its numbers are the same but for rounding; many at a time cost it the least. */
		setup->chunk = setup->chunk ? setup->chunk : GRETA_PARITY_MIXED_CHUNK;
		return true;
	}
	if (is(word, length, "ref"))
		return copy(setup->provider, "cpu", 3) && copy(setup->kernels, "ref", 3);
	if (begins(word, "gfx"))
		return copy(setup->target, word, length) && copy(setup->provider, "amd", 3);
	if (begins(word, "sm_"))
		return copy(setup->target, word, length) && copy(setup->provider, "nvidia", 6);
	return (is(word, length, "auto") || is(word, length, "cpu") || is(word, length, "amd") ||
		is(word, length, "nvidia")) && copy(setup->provider, word, length);
}

static bool read_number(const char *word, size_t length, unsigned *out)
{
	char digits[12];
	char *end;
	if (!length || length >= sizeof(digits) || word[0] == '-' || word[0] == '+')
		return false;
	memcpy(digits, word, length);
	digits[length] = 0;
	errno = 0;
	unsigned long value = strtoul(digits, &end, 10);
	if (*end || errno || value < 1 || value > 65536)
		return false;
	*out = (unsigned)value;
	return true;
}

static bool read_word(struct greta_parity_setup *setup, const char *word, size_t length)
{
	if (is(word, length, "fuse=none") || is(word, length, "fuse=full"))
		setup->fuse_none = word[5] == 'n';
	else if (is(word, length, "graph") || is(word, length, "eager"))
		setup->eager = word[0] == 'e';
	else if (is(word, length, "x8"))
		setup->activations = 1;
	else if (is(word, length, "x16") || is(word, length, "x24") || is(word, length, "x32"))
		setup->activations = word[1] == '1' ? 2 : word[1] == '2' ? 3 : 4;
	else if (is(word, length, "kv=f16") || is(word, length, "kv=f32"))
		setup->kv_f32 = word[4] == '3';
	else if (is(word, length, "plain"))
		setup->plain = true;
	else if (is(word, length, "mixed"))
		setup->chunk = 0;
	else if (is(word, length, "decode"))
		setup->chunk = 1;
	else if (length > 6 && begins(word, "chunk="))
		return read_number(word + 6, length - 6, &setup->chunk);
	else if (length > 8 && begins(word, "threads="))
		return read_number(word + 8, length - 8, &setup->threads);
	else
		return false;
	return true;
}

enum greta_status greta_parity_setup_read(struct greta_parity_setup *setup, const char *text, struct greta_error *error)
{
	struct greta_parity_setup made = *setup;
	for (const char *word = text;; word++) {
		size_t length = strcspn(word, ",");
		size_t who = word == text ? strcspn(word, ":,") : length;
		bool good = word == text ? read_who(&made, word, who) : read_word(&made, word, length);
		if (good && word == text && who < length)
			good = !made.oracle && !made.kernels[0] && copy(made.kernels, word + who + 1, length - who - 1);
		if (!good)
			return greta_fail(error, GRETA_ERROR_ARGUMENT, "\"%.*s\" in side \"%.100s\" is not understood: "
					  "--help lists what can stand there", (int)length, word, text);
		word += length;
		if (!*word)
			break;
	}
	*setup = made;
	return GRETA_OK;
}

const char *greta_parity_setup_text(const struct greta_parity_setup *setup, char out[GRETA_PARITY_SETUP_MAX])
{
	char chunk[24] = "mixed", threads[24] = "";
	if (setup->oracle) {
		snprintf(out, GRETA_PARITY_SETUP_MAX, "oracle");
		return out;
	}
	if (setup->chunk == 1)
		snprintf(chunk, sizeof(chunk), "decode");
	else if (setup->chunk)
		snprintf(chunk, sizeof(chunk), "chunk=%u", setup->chunk);
	if (setup->threads)
		snprintf(threads, sizeof(threads), ",threads=%u", setup->threads);
	snprintf(out, GRETA_PARITY_SETUP_MAX, "%s%s%s,fuse=%s,%s,%s,x%u,kv=%s%s%s",
		 setup->target[0] ? setup->target : setup->provider, setup->kernels[0] ? ":" : "", setup->kernels,
		 setup->fuse_none ? "none" : "full", setup->eager ? "eager" : "graph", chunk, setup->activations * 8,
		 setup->kv_f32 ? "f32" : "f16", threads, setup->plain ? ",plain" : "");
	return out;
}

bool greta_parity_setups_equal_bits(const struct greta_parity_setup *a, const struct greta_parity_setup *b)
{
	return !a->oracle && !b->oracle && a->activations == b->activations && a->kv_f32 == b->kv_f32;
}

size_t greta_parity_setup_piece(const struct greta_parity_setup *setup, size_t position, size_t count)
{
	size_t half = count / 2, piece = setup->chunk, left = count - position;
	if (!setup->chunk) {
		piece = position < half ? GRETA_PARITY_MIXED_CHUNK : 1;
		left = position < half ? half - position : left;
	}
	return piece < left ? piece : left;
}

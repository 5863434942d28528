#include "bench/parity/setup.h"

#include "models/error.h"

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
		/* However it takes them, its numbers are the same but for rounding;
		 * many at a time cost it the least. */
		setup->chunk = setup->chunk ? setup->chunk : GRETA_PARITY_MIXED_CHUNK;
		return true;
	}
	if (is(word, length, "ref"))
		return copy(setup->provider, "cpu", 3) && copy(setup->kernels, "ref", 3);
	if (begins(word, "gfx"))
		return copy(setup->target, word, length) && copy(setup->provider, "amd", 3);
	if (begins(word, "sm_") || begins(word, "compute_"))
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

/* What a word speaks of: a side says it once. */
enum topic { FUSE = 1, MODE = 2, ACTIVATIONS = 4, KV = 8, PLAIN = 16, STEPS = 32, THREADS = 64 };

/* Returns the word's topic, 0 for no word. */
static enum topic read_word(struct greta_parity_setup *setup, const char *word, size_t length)
{
	if (is(word, length, "fuse=none") || is(word, length, "fuse=full"))
		return setup->fuse_none = word[5] == 'n', FUSE;
	if (is(word, length, "graph") || is(word, length, "eager"))
		return setup->eager = word[0] == 'e', MODE;
	if (is(word, length, "x8"))
		return setup->activations = 1, ACTIVATIONS;
	if (is(word, length, "x16") || is(word, length, "x24") || is(word, length, "x32"))
		return setup->activations = word[1] == '1' ? 2 : word[1] == '2' ? 3 : 4, ACTIVATIONS;
	if (is(word, length, "kv=f16") || is(word, length, "kv=f32"))
		return setup->kv_f32 = word[4] == '3', KV;
	if (is(word, length, "plain"))
		return setup->plain = true, PLAIN;
	if (is(word, length, "mixed") || is(word, length, "decode"))
		return setup->chunk = word[0] == 'd', STEPS;
	if (length > 6 && begins(word, "chunk="))
		return read_number(word + 6, length - 6, &setup->chunk) ? STEPS : 0;
	if (length > 8 && begins(word, "threads="))
		return read_number(word + 8, length - 8, &setup->threads) ? THREADS : 0;
	return 0;
}

enum greta_status greta_parity_setup_read(struct greta_parity_setup *setup, const char *text, struct greta_error *error)
{
	struct greta_parity_setup made = *setup;
	size_t length = strcspn(text, ","), who = strcspn(text, ":,");
	unsigned said = 0;
	bool good = read_who(&made, text, who) &&
		    (who == length ||
		     (!made.oracle && !made.kernels[0] && copy(made.kernels, text + who + 1, length - who - 1)));
	const char *word = text;
	while (good && word[length]) {
		word += length + 1;
		length = strcspn(word, ",");
		unsigned topic = read_word(&made, word, length);
		if (topic & said)
			return greta_fail(error, GRETA_ERROR_ARGUMENT,
					  "\"%.*s\" in side \"%.100s\" contradicts a word before it", (int)length, word,
					  text);
		said |= topic;
		good = topic != 0;
		if (made.oracle && topic != 0 && topic != STEPS)
			return greta_fail(error, GRETA_ERROR_ARGUMENT, "\"%.*s\" in side \"%.100s\" has no meaning: the oracle "
					  "computes in fp64, without plan and threads", (int)length, word, text);
	}
	if (!good)
		return greta_fail(error, GRETA_ERROR_ARGUMENT, "\"%.*s\" in side \"%.100s\" is not understood: --help lists what "
				  "can stand there", (int)length, word, text);
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

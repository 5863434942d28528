#include "runtime/session.h"

#include "runtime/clock.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

static enum greta_status usable(const struct greta *greta, struct greta_error *error)
{
	if (!greta->broken)
		return GRETA_OK;
	return greta_fail(error, GRETA_ERROR_DEVICE, "the session is broken since: %.400s", greta->broken_by.message);
}

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Tokens sampled ahead are no longer what follows the sequence. */
static void forget_ahead(struct greta *greta)
{
	greta->position = smaller(greta->position, greta->length);
	greta->stale = true;
}

static void end_text(struct greta *greta)
{
	greta_text_stream_destroy(greta->text);
	greta->text = NULL;
}

/* Runs tokens [start, end) of the staging area, in pieces, until the token that follows them has been sampled. */
static enum greta_status run(struct greta *greta, size_t start, size_t end, bool tell, struct greta_error *error)
{
	enum greta_status status = GRETA_OK;
	size_t first = start;
	if (tell) /* the first step may take long itself */
		greta->progress(greta->progress_user, "reading the prompt", 0, end - first);
	while (start < end && status == GRETA_OK) {
		size_t piece = greta->chunk_tokens ? smaller(end - start, greta->chunk_tokens) : end - start;
		size_t stop = start + piece;
		uint32_t token;
		status = greta_session_write_state(greta, start, stop, error);
		while (start < stop && status == GRETA_OK) {
			size_t tokens;
			status = greta_session_step(greta, stop - start, &tokens, error);
			if (status != GRETA_OK)
				break;
			start += tokens;
			if (tell && start < stop) {
				status = greta_session_drain(greta, error);
				greta->progress(greta->progress_user, "reading the prompt", start - first, end - first);
			}
		}
		if (status == GRETA_OK)
			status = greta_session_wait(greta, stop, &token, error);
		if (tell && status == GRETA_OK)
			greta->progress(greta->progress_user, "reading the prompt", stop - first, end - first);
	}
	return status;
}

/* Sees to it that a step has been enqueued that samples what follows the sequence. */
static enum greta_status follow(struct greta *greta, struct greta_error *error)
{
	size_t tokens;
	if (greta->stale)
		return run(greta, smaller(greta->position, greta->length - 1), greta->length, false, error);
	if (greta->position >= greta->length)
		return GRETA_OK;
	return greta_session_step(greta, 1, &tokens, error);
}

/* Appends the token that follows, whose step is enqueued. */
static enum greta_status take(struct greta *greta, int32_t *out_token, struct greta_error *error)
{
	uint32_t token;
	enum greta_status status = greta_session_wait(greta, greta->length, &token, error);
	if (status != GRETA_OK) {
		forget_ahead(greta);
		return status;
	}
	greta_session_tokens(greta)[greta->length++] = token;
	if (greta->stats.first_token_ms == 0)
		greta->stats.first_token_ms = greta_clock_ms() - greta->started_ms;
	*out_token = (int32_t)token;
	return GRETA_OK;
}

size_t greta_length(const struct greta *greta)
{
	return greta->length;
}

static enum greta_status check_feed(const struct greta *greta, const int32_t *tokens, size_t count,
				    struct greta_error *error)
{
	const struct greta_plan_header *header = greta->plan.header;
	enum greta_status status = usable(greta, error);
	if (status != GRETA_OK)
		return status;
	if (!count || !tokens)
		return greta_fail(error, GRETA_ERROR_ARGUMENT, "no tokens to feed");
	if (count > header->context - greta->length)
		return greta_fail(error, GRETA_ERROR_CONTEXT,
		                  "%zu token%s behind %zu do not fit into the context of %u: plan with a larger one",
		                  count, count == 1 ? "" : "s", greta->length, header->context);
	for (size_t i = 0; i < count; i++)
		if (tokens[i] < 0 || (uint32_t)tokens[i] >= header->n_vocab)
			return greta_fail(error, GRETA_ERROR_ARGUMENT,
			                  "token %zu is %" PRId32 ", outside the vocabulary of %u", i, tokens[i],
			                  header->n_vocab);
	return GRETA_OK;
}

enum greta_status greta_feed(struct greta *greta, const int32_t *tokens, size_t count, struct greta_error *error)
{
	double began = greta_clock_ms();
	enum greta_status status = check_feed(greta, tokens, count, error);
	if (status != GRETA_OK)
		return status;
	/* Steps that still run read the device's tokens, not these. */
	size_t start = smaller(greta->position, greta->length);
	size_t end = greta->length + count;
	for (size_t i = 0; i < count; i++)
		greta_session_tokens(greta)[greta->length + i] = (uint32_t)tokens[i];
	status = run(greta, start, end, greta->progress != NULL, error);
	if (status != GRETA_OK) {
		greta->position = start;
		greta->stale = true;
		return status;
	}
	end_text(greta);
	greta->length = end;
	greta->fed = end;
	greta->stats.prefill_tokens += count;
	greta->stats.prefill_ms += greta_clock_ms() - began;
	return GRETA_OK;
}

enum greta_status greta_truncate(struct greta *greta, size_t length, struct greta_error *error)
{
	enum greta_status status = usable(greta, error);
	if (status != GRETA_OK)
		return status;
	if (length > greta->length)
		return greta_fail(error, GRETA_ERROR_ARGUMENT, "cannot cut a sequence of %zu tokens to %zu",
		                  greta->length, length);
	if (length < greta->length) {
		end_text(greta);
		greta->length = length;
		forget_ahead(greta);
	}
	return GRETA_OK;
}

enum greta_status greta_set_sampling(struct greta *greta, const struct greta_sampling *sampling,
                                     struct greta_error *error)
{
	static const struct greta_sampling greedy = {.top_p = 1};
	struct greta_sampling wanted = sampling ? *sampling : greedy;
	if (!(wanted.temperature >= 0) || !isfinite(wanted.temperature))
		return greta_fail(error, GRETA_ERROR_ARGUMENT, "a temperature of %g: it must be 0 or more",
				  (double)wanted.temperature);
	if (wanted.temperature == 0)
		wanted = greedy;
	if (!(wanted.top_p > 0 && wanted.top_p <= 1))
		return greta_fail(error, GRETA_ERROR_ARGUMENT, "a top-p of %g: it must be above 0 and at most 1",
				  (double)wanted.top_p);
	if (!(wanted.min_p >= 0 && wanted.min_p < 1))
		return greta_fail(error, GRETA_ERROR_ARGUMENT, "a min-p of %g: it must be 0 or more and below 1",
				  (double)wanted.min_p);
	const struct greta_sampling *have = &greta->sampling;
	if (wanted.temperature == have->temperature && wanted.top_k == have->top_k && wanted.top_p == have->top_p &&
	    wanted.min_p == have->min_p && wanted.seed == have->seed)
		return GRETA_OK;
	greta->sampling = wanted;
	forget_ahead(greta);
	return GRETA_OK;
}

static enum greta_status check_generate(const struct greta *greta, size_t count, struct greta_error *error)
{
	enum greta_status status = usable(greta, error);
	uint32_t context = greta->plan.header->context;
	if (status != GRETA_OK)
		return status;
	if (!greta->length)
		return greta_fail(error, GRETA_ERROR_ARGUMENT, "nothing to follow: the sequence is empty");
	if (count > context - greta->length)
		return greta_fail(error, GRETA_ERROR_CONTEXT,
		                  "%zu token%s to generate behind %zu do not fit into the context of %u: plan with a "
		                  "larger one",
		                  count, count == 1 ? "" : "s", greta->length, context);
	return GRETA_OK;
}

enum greta_status greta_next(struct greta *greta, int32_t *out_token, struct greta_error *error)
{
	double began = greta_clock_ms();
	enum greta_status status = check_generate(greta, 1, error);
	if (status != GRETA_OK)
		return status;
	bool decoded = greta->length != greta->fed;
	status = follow(greta, error);
	if (status == GRETA_OK)
		status = take(greta, out_token, error);
	if (status != GRETA_OK)
		return status;
	end_text(greta);
	if (decoded) {
		greta->stats.decode_tokens++;
		greta->stats.decode_ms += greta_clock_ms() - began;
	}
	return GRETA_OK;
}

enum greta_status greta_logits(struct greta *greta, const float **out_logits, struct greta_error *error)
{
	uint32_t token;
	double began = greta_clock_ms();
	enum greta_status status = check_generate(greta, 0, error);
	if (status != GRETA_OK)
		return status;
	if (greta->position > greta->length) /* steps ahead have overwritten them */
		forget_ahead(greta);
	status = follow(greta, error);
	if (status == GRETA_OK)
		status = greta_session_wait(greta, greta->length, &token, error);
	if (status != GRETA_OK) {
		forget_ahead(greta);
		return status;
	}
	if (greta->length != greta->fed)
		greta->stats.decode_ms += greta_clock_ms() - began;
	*out_logits = (const float *)(const void *)((const uint8_t *)greta->memory.io +
	                                            greta->plan.header->logits_offset);
	return GRETA_OK;
}

/* ---- Generation ---- */

struct generation {
	greta_on_token *on_token;
	void *user;
	size_t end;                       /* length at which it stops */
	enum greta_stop stop;
};

/* Behind BOS alone the text begins here, else it continues. */
static enum greta_status begin_text(struct greta *greta, struct greta_error *error)
{
	bool continues = greta->length > 1 ||
			 (int32_t)greta_session_tokens(greta)[0] != greta_tokenizer_bos(greta->tokenizer);
	if (greta->text)
		return GRETA_OK;
	return greta_text_stream_create(greta->tokenizer, continues, false, &greta->text, error);
}

static bool give(struct greta *greta, const struct generation *generation, int32_t token)
{
	struct greta_gguf_string text = {"", 0};
	if (!generation->on_token)
		return true;
	if (greta->text)
		text = greta_text_stream_push(greta->text, token);
	return generation->on_token(generation->user, token, text.data, text.length);
}

static void give_rest(struct greta *greta, const struct generation *generation)
{
	if (!greta->text || !generation->on_token || generation->stop == GRETA_STOP_CALLER)
		return;
	struct greta_gguf_string text = greta_text_stream_flush(greta->text);
	if (text.length)
		(void)generation->on_token(generation->user, GRETA_NO_TOKEN, text.data, text.length);
}

/* Keeps up to `lookahead` steps enqueued, none that would sample past the end. */
static enum greta_status enqueue_ahead(struct greta *greta, size_t end, struct greta_error *error)
{
	size_t goal = smaller(end - 1, greta->length + greta->lookahead - 1);
	enum greta_status status = GRETA_OK;
	size_t tokens;
	while (greta->position < goal && status == GRETA_OK)
		status = greta_session_step(greta, 1, &tokens, error);
	return status;
}

static enum greta_status generate(struct greta *greta, unsigned flags, struct generation *generation,
				  struct greta_error *error)
{
	while (greta->length < generation->end) {
		int32_t token;
		bool decoded = greta->length != greta->fed;
		enum greta_status status = follow(greta, error);
		if (status == GRETA_OK)
			status = enqueue_ahead(greta, generation->end, error);
		if (status == GRETA_OK)
			status = take(greta, &token, error);
		if (status != GRETA_OK)
			return status;
		greta->stats.decode_tokens += decoded;
		bool more = give(greta, generation, token);
		if (!(flags & GRETA_IGNORE_END) && greta_is_end(greta, token)) {
			generation->stop = GRETA_STOP_END;
			return GRETA_OK;
		}
		if (!more) {
			generation->stop = GRETA_STOP_CALLER;
			return GRETA_OK;
		}
	}
	generation->stop = GRETA_STOP_LIMIT;
	return GRETA_OK;
}

enum greta_status greta_generate(struct greta *greta, size_t limit, unsigned flags, greta_on_token *on_token,
                                 void *user, enum greta_stop *out_stop, size_t *out_count, struct greta_error *error)
{
	struct generation generation = {.on_token = on_token, .user = user};
	enum greta_status status = check_generate(greta, limit, error);
	if (status != GRETA_OK)
		return status;
	size_t start = greta->length;
	generation.end = start + limit;
	if (on_token && greta->tokenizer)
		status = begin_text(greta, error);
	if (status != GRETA_OK)
		return status;
	double began = greta_clock_ms();
	status = generate(greta, flags, &generation, error);
	greta->stats.decode_ms += greta_clock_ms() - began;
	if (status == GRETA_OK && !(flags & GRETA_HOLD_TEXT && generation.stop == GRETA_STOP_LIMIT)) {
		give_rest(greta, &generation);
		end_text(greta);
	}
	if (status != GRETA_OK)
		return status;
	if (out_stop)
		*out_stop = generation.stop;
	if (out_count)
		*out_count = greta->length - start;
	return GRETA_OK;
}

#include "bench/configs.h"

#include "bench/clock.h"
#include "models/terminal.h"
#include "runtime/session.h"

unsigned bench_context(const struct bench_request *request)
{
	unsigned depth = request->depth_count ? request->depths[request->depth_count - 1] : 0;
	unsigned prefill = depth + request->prompt;
	/* The token that a test's last step samples is in the sequence, too. */
	unsigned decode = request->generate ? (depth ? depth : 1) + request->generate + 1 : 0;
	return prefill > decode ? prefill : decode;
}

enum greta_status bench_configs_open(const struct bench_request *request, unsigned context,
                                     struct bench_configs *out_configs, struct greta_error *error)
{
	struct bench_configs configs = {.count = 0};
	struct greta_options options = request->options;
	options.progress = greta_terminal_progress;
	enum greta_status status = GRETA_OK;
	if (!options.context)
		options.context = context;
	for (int fuse = 0; fuse < 2; fuse++)
		for (int eager = 1; eager >= 0 && status == GRETA_OK; eager--) {
			if (!request->fuse[fuse] || !request->eager[eager])
				continue;
			struct bench_config *config = &configs.items[configs.count];
			*config = (struct bench_config){.eager = eager, .fuse_full = fuse};
			options.eager = eager;
			options.fuse = fuse ? GRETA_OPEN_FUSE_FULL : GRETA_OPEN_FUSE_NONE;
			status = greta_open(request->model, &options, &config->greta, error);
			if (status != GRETA_OK)
				break;
			greta_session_set_progress(config->greta, NULL, NULL); /* which takes time */
			configs.count++;
		}
	if (status == GRETA_OK)
		*out_configs = configs;
	else
		bench_configs_close(&configs);
	return status;
}

void bench_configs_close(struct bench_configs *configs)
{
	for (size_t c = 0; c < configs->count; c++)
		greta_close(configs->items[c].greta);
	configs->count = 0;
}

enum greta_status bench_fill(struct bench_config *config, const int32_t *filler, size_t depth,
                             struct greta_error *error)
{
	size_t kept = config->filled < depth ? config->filled : depth;
	enum greta_status status = greta_truncate(config->greta, kept, error);
	config->filled = kept;
	if (status == GRETA_OK && kept < depth)
		status = greta_feed(config->greta, filler + kept, depth - kept, error);
	if (status == GRETA_OK)
		config->filled = depth;
	return status;
}

enum greta_status bench_time_prefill(struct bench_config *config, const struct bench_tokens *tokens, size_t depth,
                                     double *out_ns, struct greta_error *error)
{
	const float *logits;
	enum greta_status status = bench_fill(config, tokens->filler, depth, error);
	double begin = greta_seconds();
	if (status == GRETA_OK)
		status = greta_feed(config->greta, tokens->prompt, tokens->prompt_count, error);
	if (status == GRETA_OK)
		status = greta_logits(config->greta, &logits, error);
	if (status == GRETA_OK)
		*out_ns = (greta_seconds() - begin) * 1e9;
	return status;
}

enum greta_status bench_time_decode(struct bench_config *config, const struct bench_tokens *tokens, size_t depth,
                                    unsigned steps, double *out_ns, size_t *out_start, struct greta_error *error)
{
	size_t start = depth ? depth : 1;
	/* The filler's last token is fed anew, and by that step the first of the tokens below is there when the clock
	 * starts: one more than steps. */
	enum greta_status status = bench_fill(config, tokens->filler, start - 1, error);
	if (status == GRETA_OK)
		status = bench_fill(config, tokens->filler, start, error);
	double begin = greta_seconds();
	if (status == GRETA_OK)
		status =
		    greta_generate(config->greta, (size_t)steps + 1, GRETA_IGNORE_END, NULL, NULL, NULL, NULL, error);
	if (status != GRETA_OK)
		return status;
	*out_ns = (greta_seconds() - begin) * 1e9;
	*out_start = start;
	return GRETA_OK;
}

/* libgreta: text from a GGUF model, through a plan and a captured graph.
 *
 *	greta_open    a model or a plan; a model is planned once and its plan kept in the cache directory
 *	greta_encode  text to tokens
 *	greta_feed    runs a prompt
 *	greta_generate or greta_next   gives what follows
 *	greta_close
 *
 * docs/example.c is a complete program. A session (struct greta) holds one sequence of tokens, at first empty.
 * greta_feed and every token generated append to it; greta_truncate shortens it. Whatever the calls and however a
 * sequence came about, its logits and the tokens sampled from them depend on the sequence, the sampling settings and
 * the seed alone.
 *
 * Errors are told as models/status.h says. A failed call leaves the sequence as it was; after GRETA_ERROR_DEVICE the
 * session is broken and every further call but greta_close fails likewise. A session is used by one thread at a time;
 * different sessions are independent, but those of the cpu that are open at the same time share its workers: the second
 * must ask for the same threads and guard as the first (else ARGUMENT), until all are closed. Every call blocks until
 * its result is there. */
#ifndef GRETA_GRETA_H
#define GRETA_GRETA_H

#include "models/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define GRETA_API __attribute__((visibility("default")))

struct greta;

/* ---- Opening ---- */

enum greta_choice_kv { GRETA_OPEN_KV_DEFAULT = 0, GRETA_OPEN_KV_F16 = 1, GRETA_OPEN_KV_F32 = 2 };
enum greta_choice_stamps { GRETA_OPEN_STAMPS_NONE = 0, GRETA_OPEN_STAMPS_BLOCKS = 1, GRETA_OPEN_STAMPS_LAUNCHES = 2 };
enum greta_choice_fuse { GRETA_OPEN_FUSE_DEFAULT = 0, GRETA_OPEN_FUSE_NONE = 1, GRETA_OPEN_FUSE_FULL = 2 };

#define GRETA_PREFILL_MAX 8 /* prefill programs of one plan, at most */

#define GRETA_CACHE_BYTES_DEFAULT (UINT64_C(32) << 30)

/* Told about work that may take long, from the thread that called: `what` is "reading the model", "planning", "packing
 * weights", "checking weights", "uploading weights" or "reading the prompt"; done goes up to total (bytes or
 * tokens). */
typedef void greta_progress(void *user, const char *what, uint64_t done, uint64_t total);

/* Told in one line, from the thread that called, about what is done without or again: a cache that cannot be written,
 * a file there that is damaged. */
typedef void greta_warning(void *user, const char *message);

/* Zero means the default everywhere: `struct greta_options options = { .context = 2048 };`. */
struct greta_options {
	const char *provider;    /* "amd", "nvidia", "cpu"; "auto" (default): a GPU that this build has kernels for and,
				    given a plan, that the plan is for; else the cpu */
	const char *kernels;     /* cpu: "auto" (default), "amx", "avx512", "avx2", "portable", "ref" */
	const char *model;       /* given a plan: where its model is; default: the path recorded in the plan */
	const char *cache;       /* of plans and packed weights; default: $XDG_CACHE_HOME/greta, ~/.cache/greta */
	uint64_t cache_bytes;    /* of the disk that it may take: when something is added, what was not used for the longest goes;
				    default GRETA_CACHE_BYTES_DEFAULT */
	bool no_cache;           /* neither read nor write the cache directory */
	bool check_weights;      /* read all of the packed weights found there and compare with their checksum: what is damaged is
				    made again (options.warn). Else their file's header is checked, not its contents */
	unsigned threads;        /* cpu: workers; default: one for each processor the process may run on */
	bool eager;              /* launch kernel by kernel instead of replaying graphs */
	bool guard;              /* canaries around device allocations, which greta_check looks at */
	bool force_upload;       /* copy weights into device memory even where the device could read the mapped file */
	unsigned lookahead;      /* replays that greta_generate keeps enqueued; default 4, at most 16; 1: none ahead */
	unsigned chunk_tokens;   /* take prompts in pieces of at most so many tokens, 1: token by token; default: any */
	greta_progress *progress;
	greta_warning *warn;
	void *progress_user;     /* for both */

	/* What to plan, given a model. Given a plan, each must be 0 or what the plan has (else ARGUMENT). */
	unsigned context;        /* positions; default: the model's, at most 4,096 */
	unsigned prefill[GRETA_PREFILL_MAX]; /* chunk lengths, ascending, up to the first 0; default: the target's */
	bool no_prefill;         /* instead (prefill[0] is 0): none, prompts go token by token */
	enum greta_choice_kv kv;
	enum greta_choice_fuse fuse;
	unsigned activations;    /* digits per value, 1 to 4; default 4 (x32) */
	enum greta_choice_stamps stamps; /* time stamps after each logic block or launch (greta-bench, --trace);
					  * default: none */
};

/* Opens the GGUF model or the plan at `path` (told apart by their content). NULL options mean all defaults. A cached
 * plan that is damaged is made again; a cache that cannot be written is done without (both: options.warn). Strings
 * are copied. Errors: ARGUMENT (options), IO, FORMAT, UNSUPPORTED, MISMATCH (the plan is for another model, target or
 * build: the message names both and the remedy), MEMORY, DEVICE. */
GRETA_API enum greta_status greta_open(const char *path, const struct greta_options *options, struct greta **out_greta,
				       struct greta_error *error);

/* Waits for enqueued work and releases everything. */
GRETA_API void greta_close(struct greta *greta);

/* Waits for enqueued work; with options.guard, looks at the canaries. DEVICE when a kernel wrote where it must not. */
GRETA_API enum greta_status greta_check(struct greta *greta, struct greta_error *error);

/* What was opened. Strings live as long as the session. */
struct greta_info {
	const char *plan_path;   /* "" when the plan was only in memory */
	const char *model_path;
	const char *model_name;  /* general.name, or "" */
	const char *target;      /* "cpu", ... */
	const char *provider;
	const char *device;      /* as the device calls itself */
	const char *kernels;     /* the module in use: "avx512", ... */
	uint8_t model_fingerprint[16];
	uint32_t context, context_train, vocab;
	uint32_t layers, embd, heads, kv_heads, head_dim, ff;
	uint32_t activations;    /* digits per value */
	uint32_t threads;        /* cpu: workers; others: 0 */
	bool kv_f32, fuse_full, eager;
	uint32_t prefill[GRETA_PREFILL_MAX]; /* chunk lengths planned, ascending, 0 after the last */
};

GRETA_API const struct greta_info *greta_get_info(const struct greta *greta);

/* ---- Text ---- */

/* The tokens of a text, in a new array that the caller frees with free(). `first`: the text begins a sequence, so the
 * model's BOS comes before it where the model wants one. `special`: control tokens written out in the text ("</s>")
 * become tokens. An empty text that is `first` gives BOS alone. Errors: FORMAT, ARGUMENT (2 GiB or more), MEMORY. */
GRETA_API enum greta_status greta_encode(const struct greta *greta, const char *text, size_t length, bool first,
                                         bool special, int32_t **out_tokens, size_t *out_count,
                                         struct greta_error *error);

/* The text of tokens, in a new buffer that the caller frees with free(); a zero byte follows, uncounted. May be invalid
 * UTF-8 (tokens can be parts of characters). Control tokens give nothing. ARGUMENT for a token outside the vocabulary,
 * MEMORY. */
GRETA_API enum greta_status greta_decode(const struct greta *greta, const int32_t *tokens, size_t count,
                                         char **out_text, size_t *out_length, struct greta_error *error);

/* Does a text end at this token (EOS, end of turn)? */
GRETA_API bool greta_is_end(const struct greta *greta, int32_t token);

/* ---- The sequence ---- */

/* Tokens in the sequence. */
GRETA_API size_t greta_length(const struct greta *greta);

/* Appends tokens and runs them. Errors: ARGUMENT (none, or one outside the vocabulary), CONTEXT (they do not fit:
 * nothing was run), NUMBERS (a position's logits were not finite), DEVICE. */
GRETA_API enum greta_status greta_feed(struct greta *greta, const int32_t *tokens, size_t count,
                                       struct greta_error *error);

/* Keeps the first `length` tokens; ARGUMENT when there are fewer. 0 starts anew. */
GRETA_API enum greta_status greta_truncate(struct greta *greta, size_t length, struct greta_error *error);

/* How the next tokens are drawn. temperature 0: the largest logit, the other settings unused. */
struct greta_sampling {
	float temperature; /* >= 0 */
	uint32_t top_k;    /* keep the k largest logits; 0: all */
	float top_p;       /* keep the most probable tokens up to this sum, in (0, 1]; 1: all */
	float min_p;       /* drop tokens less probable than this share of the best one, in [0, 1); 0: none */
	uint64_t seed;
};

#define GRETA_SAMPLING_DEFAULT { 0.8f, 40, 0.95f, 0.05f, 0 }

/* Holds for every token given from now on. A new session, and NULL, sample greedily (temperature 0). ARGUMENT for
 * values outside the ranges above. */
GRETA_API enum greta_status greta_set_sampling(struct greta *greta, const struct greta_sampling *sampling,
					       struct greta_error *error);

/* Draws the token that follows the sequence and appends it. ARGUMENT when the sequence is empty, CONTEXT when it fills
 * the context, NUMBERS, DEVICE. Goes on past end tokens. */
GRETA_API enum greta_status greta_next(struct greta *greta, int32_t *out_token, struct greta_error *error);

/* Called for every token generated, with the text that it completes: valid UTF-8, often empty, not terminated, valid
 * during the call. When the generation ends inside a character, a last call with token -1 gives U+FFFD. Return false to
 * stop; the token stays in the sequence. The session must not be used inside, but for greta_get_info, greta_length,
 * greta_is_end. */
typedef bool greta_on_token(void *user, int32_t token, const char *text, size_t length);

enum greta_stop {
	GRETA_STOP_LIMIT,  /* `limit` tokens were generated */
	GRETA_STOP_END,    /* the last one ends the text */
	GRETA_STOP_CALLER, /* on_token said so */
};

enum greta_generate_flags {
	GRETA_IGNORE_END = 1, /* go on past end tokens */
	GRETA_HOLD_TEXT = 2,  /* at the limit, keep an unfinished character: the next greta_generate goes on with it,
			       * unless the sequence was changed between them */
};

/* Generates up to `limit` tokens, as greta_next would one by one, with several replays enqueued ahead. on_token may be
 * NULL; out_stop and out_count (tokens generated, an end token included) may be NULL. CONTEXT, before anything runs,
 * when `limit` tokens do not fit behind the sequence. On a later error (NUMBERS, DEVICE) the tokens given stay. */
GRETA_API enum greta_status greta_generate(struct greta *greta, size_t limit, unsigned flags, greta_on_token *on_token,
					   void *user, enum greta_stop *out_stop, size_t *out_count,
					   struct greta_error *error);

/* The logits [vocab] that follow the sequence's last token, valid until the next call on the session. Runs what is
 * missing for them: nothing after greta_feed; after greta_next one step, which the next greta_next then does not
 * repeat. ARGUMENT when the sequence is empty; NUMBERS, DEVICE. */
GRETA_API enum greta_status greta_logits(struct greta *greta, const float **out_logits, struct greta_error *error);

/* ---- What it cost ---- */

/* Times in milliseconds of the host's clock. */
struct greta_stats {
	/* Opening: fixed when greta_open returns. */
	double open_ms;          /* all of it; of that: */
	double model_ms;         /* reading the model's metadata, fingerprint, vocabulary */
	double plan_ms;          /* planning, 0 when the plan was there already; and checking the plan */
	double weights_ms;       /* making the weights reachable for the device; of that: */
	double pack_ms;          /* laying them out anew, 0 when the packed file was there */
	double upload_ms;        /* copying them to the device: upload_bytes */
	double capture_ms;       /* all programs captured so far */
	double instantiate_ms;   /* and instantiated */
	bool plan_reused, weights_reused; /* from the cache */
	uint64_t model_bytes;    /* the GGUF file */
	uint64_t mapped_bytes;   /* of weights read where the file is mapped (model or packed weights) */
	uint64_t upload_bytes;   /* of weights copied to the device */
	uint64_t device_bytes;   /* allocated of the device's memory: weights uploaded, KV cache, arena, state */
	uint64_t planned_bytes;  /* what greta-plan show says that will be,
				  * on a device that does not read the host's memory */
	uint64_t host_bytes;     /* allocated of the host's, pinned: ring, logits, staged tokens;
				  * weights laid out there */
	uint64_t step_weight_bytes; /* weight bytes that one decode step reads */
	uint32_t launches_per_step; /* of the decode program */
	uint32_t nodes_per_step;    /* of its graph; 0 in an eager session */

	/* Running: since greta_open or greta_reset_stats. */
	uint64_t prefill_tokens; /* fed */
	double prefill_ms;       /* until their logits were there */
	uint64_t decode_tokens;  /* decode steps whose result was waited for */
	double decode_ms;
	double first_token_ms;   /* from greta_open's start to the first token given; 0: none yet. Never reset */
};

GRETA_API void greta_get_stats(const struct greta *greta, struct greta_stats *out_stats);
GRETA_API void greta_reset_stats(struct greta *greta);

#ifdef __cplusplus
}
#endif

#endif

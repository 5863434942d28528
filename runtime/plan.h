/* The plan file: all that the planner decided, and the only thing that planner and runtime share.
 *
 * One flat little-endian file, made to be mapped and used in place: a header, then sections (arrays of the structs
 * below, each starting at a multiple of 64), in the order of enum greta_plan_section. Offsets and sizes are in bytes
 * unless their name says otherwise. docs/architecture.md describes the file field by field.
 *
 * Programs are entry points: `decode` runs one token, `prefill` up to `chunk_tokens` tokens of a prompt. A program is a
 * run of launches, in order. All programs share the regions; the arena is reused between programs. */
#ifndef GRETA_PLAN_H
#define GRETA_PLAN_H

#include <stddef.h>
#include <stdint.h>

#include "models/error.h"

#define GRETA_PLAN_MAGIC UINT64_C(0x4e414c5041544552) /* "RETAPLAN", little-endian */
#define GRETA_PLAN_VERSION 1
#define GRETA_PLAN_NONE UINT32_MAX

/* Memory regions. A relocation adds a region's base to an offset. */
enum greta_region {
	GRETA_REGION_WEIGHTS, /* tensors laid out by the plan, and constants */
	GRETA_REGION_MODEL,   /* the GGUF file as mapped; only on targets that read host memory in place */
	GRETA_REGION_KV,      /* K and V caches */
	GRETA_REGION_ARENA,   /* activations */
	GRETA_REGION_STATE,   /* struct greta_state, then the tokens */
	GRETA_REGION_IO,      /* what the host reads: token ring, logits */
	GRETA_REGION_COUNT
};

enum greta_plan_section {
	GRETA_PLAN_TENSORS,   /* struct greta_plan_tensor */
	GRETA_PLAN_BUFFERS,   /* struct greta_plan_buffer */
	GRETA_PLAN_PROGRAMS,  /* struct greta_plan_program */
	GRETA_PLAN_LAUNCHES,  /* struct greta_plan_launch */
	GRETA_PLAN_RELOCS,    /* struct greta_plan_reloc */
	GRETA_PLAN_ARGS,      /* bytes: argument structs, each at a multiple of 8 */
	GRETA_PLAN_CONSTANTS, /* bytes: contents of constant tensors */
	GRETA_PLAN_STRINGS,   /* bytes: NUL-terminated text, first one empty */
	GRETA_PLAN_SECTION_COUNT
};

/* The logic blocks by which launches are counted and timed. */
#define GRETA_BLOCKS(X) X(embed, "embed") X(qkv, "QKV") X(attention, "attention + KV") X(output, "output") \
	X(ffn, "FFN") X(lm_head, "lm_head") X(sample, "sample")

enum greta_block {
#define X(name, text) GRETA_BLOCK_##name,
	GRETA_BLOCKS(X)
#undef X
	GRETA_BLOCK_COUNT
};

/* "embed", "QKV", ...; "?" for a number that is none of them. */
const char *greta_block_name(uint32_t logic_block);

enum greta_fuse { GRETA_FUSE_NONE = 0, GRETA_FUSE_FULL = 1 };

struct greta_plan_extent {
	uint64_t offset; /* from the file's start */
	uint64_t count;  /* elements: structs, or bytes */
};

struct greta_plan_header {
	uint64_t magic;
	uint32_t version;
	uint32_t header_bytes; /* sizeof(struct greta_plan_header) */
	uint64_t file_bytes;
	uint64_t checksum;     /* greta_plan_checksum */
	uint64_t abi_hash;     /* greta_abi_hash() */
	char target[16];       /* "cpu", "gfx942", ...; NUL-padded */

	uint8_t model_fingerprint[16]; /* greta_gguf_fingerprint */
	uint64_t model_bytes;
	uint32_t model_path;   /* string: where the model was when planned (absolute) */
	uint32_t model_name;   /* string: general.name, or empty */

	uint32_t n_layer, n_embd, n_head, n_head_kv, head_dim, n_ff, n_vocab;
	uint32_t context;      /* positions that the caches hold, as asked */
	uint32_t context_train;
	uint32_t activations;  /* digits per value: 1 to 4 */
	uint32_t kv_type;      /* enum greta_kv_type */
	uint32_t fuse;         /* enum greta_fuse */

	uint64_t region_bytes[GRETA_REGION_COUNT];
	uint64_t state_offset, tokens_offset; /* in STATE: struct greta_state; uint32_t tokens[context + 1] */
	uint64_t ring_offset, logits_offset;  /* in IO: uint32_t ring[context + 1], token + 1, 0 = not yet;
					       * float [n_vocab] */

	uint64_t arena_lower_bound; /* of the program that needs most: no packing can be smaller */
	uint64_t arena_naive;       /* of the program that has most: the sum of its buffers, without reuse */
	uint64_t step_weight_bytes; /* weight bytes that one decode step reads */

	struct greta_plan_extent sections[GRETA_PLAN_SECTION_COUNT];
};

/* Something that is read, never written: a model tensor in one layout, or a constant. */
struct greta_plan_tensor {
	uint64_t offset;       /* in its region */
	uint64_t bytes;        /* there */
	uint64_t source;       /* model tensors: offset of the raw data in the GGUF file; constants: in CONSTANTS */
	uint64_t source_bytes; /* there */
	uint32_t name;         /* string; the GGUF name, or the constant's */
	uint32_t region;       /* WEIGHTS or MODEL (then offset == source) */
	uint32_t type;         /* enum greta_type; constants: 0, their values are fp64 */
	uint32_t layout;       /* enum greta_layout */
	uint32_t rows, cols;   /* vectors: one row */
	int32_t exponent;      /* all scales (weights, of F types) are below 2^exponent in magnitude */
	uint32_t constant;     /* 1: contents come from CONSTANTS */
};

/* A buffer of the arena, the state, the caches or the io region. Lifetimes count the launches of its program. */
struct greta_plan_buffer {
	uint64_t offset;       /* in its region */
	uint64_t bytes;
	uint32_t name;         /* string */
	uint32_t region;
	uint32_t program;      /* arena buffers: index; others: GRETA_PLAN_NONE (alive always) */
	uint32_t first, last;  /* arena buffers: half-open [first, last) in launches from the program's first */
	uint32_t reserved;
};

enum greta_program_kind { GRETA_PROGRAM_DECODE = 0, GRETA_PROGRAM_PREFILL = 1 };

struct greta_plan_program {
	uint32_t name;         /* string: "decode", "prefill32", ... */
	uint32_t kind;         /* enum greta_program_kind */
	uint32_t chunk_tokens; /* 1 for decode */
	uint32_t first_launch, launch_count;
	uint32_t reserved;
	uint64_t arena_bytes;  /* this program's peak */
};

struct greta_plan_launch {
	uint64_t args;         /* offset in ARGS, multiple of 8; not before the end of the last launch's */
	uint32_t args_bytes;
	uint32_t kernel;       /* enum greta_kernel */
	uint32_t symbol;       /* string: the function's name in the target's module */
	uint32_t grid[3], block[3];
	uint32_t shared_bytes; /* dynamic shared memory a block */
	uint32_t first_reloc, reloc_count;
	uint32_t layer;        /* or GRETA_PLAN_NONE */
	uint32_t logic_block;  /* enum greta_block */
};

/* The pointer field at `field` of a launch's arguments holds an offset within `object`'s region. A NULL pointer has no
 * relocation and holds 0. The object tells the checker what the pointer may touch: it must stay inside it. */
struct greta_plan_reloc {
	uint32_t field;        /* byte offset in the argument struct, multiple of 8 */
	uint32_t region;       /* enum greta_region */
	uint32_t object;       /* index in TENSORS (WEIGHTS, MODEL) or in BUFFERS (other regions) */
	uint32_t reserved;
};

/* A validated plan: pointers into the file, which stays mapped. */
struct greta_plan {
	const struct greta_plan_header *header;
	const struct greta_plan_tensor *tensors;
	const struct greta_plan_buffer *buffers;
	const struct greta_plan_program *programs;
	const struct greta_plan_launch *launches;
	const struct greta_plan_reloc *relocs;
	const uint8_t *args;
	const uint8_t *constants;
	const char *strings;
	size_t tensor_count, buffer_count, program_count, launch_count, reloc_count;
	void *mapping;         /* NULL when the memory is the caller's */
	size_t mapping_bytes;
};

/* Of a plan's `bytes` >= sizeof(struct greta_plan_header): XXH3-64 of what follows the checksum, seeded with the
 * XXH3-64 of what comes before it. */
uint64_t greta_plan_checksum(const void *data, size_t bytes);

/* Maps `path` and checks that it is a plan of this build, whole, and that its tables hold together: magic, version,
 * checksum, ABI hash, every index, bound and sum. Whether its launches are sound is asked next, of greta_verify_plan
 * (verify.h). Errors: IO; FORMAT (damaged); MISMATCH (another version or ABI: the message says to plan again).
 * `*out_plan` is the caller's memory; greta_plan_close releases the mapping. */
enum greta_status greta_plan_open(const char *path, struct greta_plan *out_plan, struct greta_error *error);

/* The same over memory that outlives the plan (8-byte aligned). */
enum greta_status greta_plan_open_memory(const void *data, size_t bytes, struct greta_plan *out_plan,
                                         struct greta_error *error);

void greta_plan_close(struct greta_plan *plan);

/* What a session allocates, in bytes: of the memory of a device that has its own (weights, KV cache, arena, state), and
 * of the host's, pinned (ring and logits, staged tokens; buffers to upload through come and go besides). */
uint64_t greta_plan_device_bytes(const struct greta_plan_header *header);
uint64_t greta_plan_host_bytes(const struct greta_plan_header *header);
/* Of these the staged tokens: a struct greta_state and uint32_t [context + 1]. */
uint64_t greta_plan_staging_bytes(const struct greta_plan_header *header);

/* The string at an offset that a validated plan holds. */
static inline const char *greta_plan_string(const struct greta_plan *plan, uint32_t offset)
{
	return plan->strings + offset;
}

#endif

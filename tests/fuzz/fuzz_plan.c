/* Plans, sound and damaged, whose checksum always fits: opening and verifying never reads outside the file, and what is
 * accepted can be walked. The first byte chooses: the rest is a plan, or a list of changes to a sound one. */
#include "kernels/abi.h"
#include "models/synth.h"
#include "planner/planner.h"
#include "runtime/verify.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile uint64_t seen; /* keeps the reads */

static struct greta_plan_image sound[2]; /* --fuse none, full */

static void must(enum greta_status status)
{
	if (status != GRETA_OK)
		abort();
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	char path[] = "/tmp/greta-fuzz-XXXXXX";
	static const uint32_t prefill[] = {4};
	struct greta_synth_options synth = {.mix = "Q4_K_M", .seed = 1};
	struct greta_gguf *gguf;
	struct greta_llama model;
	int fd = mkstemp(path);
	if (fd < 0)
		abort();
	close(fd);
	must(greta_synth_parse_shape("embd=256,layers=1,heads=4,kv=2,ffn=256,vocab=260,ctx=40", &synth.shape, NULL));
	must(greta_synth_write(&synth, path, NULL));
	must(greta_gguf_open(path, &gguf, NULL));
	must(greta_llama_init(&model, gguf, NULL));
	for (uint32_t fuse = 0; fuse < 2; fuse++) {
		struct greta_plan_options options = {.prefill = prefill, .prefill_count = 1, .fuse = fuse, .threads = 1};
		must(greta_plan_build(&model, &options, &sound[fuse], NULL));
	}
	greta_llama_finish(&model);
	greta_gguf_close(gguf);
	unlink(path);
	return 0;
}

/* Eight bytes a change: where (three, a word), how (one), with what (four). */
static void change(uint8_t *plan, size_t plan_bytes, const uint8_t *data, size_t size)
{
	for (; size >= 8; data += 8, size -= 8) {
		uint32_t what, old;
		size_t where = (data[0] | (uint32_t)data[1] << 8 | (uint32_t)data[2] << 16) % (plan_bytes / 4) * 4;
		memcpy(&what, data + 4, sizeof(what));
		memcpy(&old, plan + where, sizeof(old));
		switch (data[3] % 4) {
		case 0: old = what; break;
		case 1: old ^= 1u << what % 32; break;
		case 2: old += what; break;
		default: memcpy(&old, plan + what % (plan_bytes / 4) * 4, sizeof(old)); break;
		}
		memcpy(plan + where, &old, sizeof(old));
	}
}

/* What leads past the first checks. */
static void repair(void *data, size_t bytes)
{
	struct greta_plan_header *header = data;
	if (bytes < sizeof(*header))
		return;
	header->magic = GRETA_PLAN_MAGIC;
	header->version = GRETA_PLAN_VERSION;
	header->header_bytes = sizeof(*header);
	header->file_bytes = bytes;
	header->abi_hash = greta_abi_hash();
	header->checksum = greta_plan_checksum(data, bytes);
}

/* Every byte that replay would use, read once: no launch has arguments that another has, which would be relocated
 * twice. */
static uint64_t walk(const struct greta_plan *plan)
{
	uint64_t sum = 0;
	uint8_t *taken = calloc(plan->header->sections[GRETA_PLAN_ARGS].count + 1, 1);
	if (!taken)
		return 0;
	for (size_t l = 0; l < plan->launch_count; l++) {
		const struct greta_plan_launch *launch = &plan->launches[l];
		for (uint32_t i = 0; i < launch->args_bytes; i++) {
			if (taken[launch->args + i]++)
				abort();
			sum += plan->args[launch->args + i];
		}
		sum += strlen(greta_plan_string(plan, launch->symbol));
		for (uint32_t r = 0; r < launch->reloc_count; r++)
			sum += plan->relocs[launch->first_reloc + r].field;
	}
	for (size_t t = 0; t < plan->tensor_count; t++)
		for (uint64_t i = 0; plan->tensors[t].constant && i < plan->tensors[t].source_bytes; i++)
			sum += plan->constants[plan->tensors[t].source + i];
	free(taken);
	return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	const struct greta_plan_image *base = &sound[data[0] & 1];
	bool raw = data[0] >= 0xf0;
	size_t bytes = raw ? size - 1 : base->size;
	void *copy = NULL;
	if (posix_memalign(&copy, 64, bytes ? bytes : 1))
		return 0;
	if (raw)
		memcpy(copy, data + 1, bytes);
	else
		memcpy(copy, base->data, bytes);
	if (!raw)
		change(copy, bytes, data + 1, size - 1);
	repair(copy, bytes);
	struct greta_plan plan;
	struct greta_error error;
	if (greta_plan_open_memory(copy, bytes, &plan, &error) == GRETA_OK) {
		if (greta_verify_plan(&plan, &error) == GRETA_OK)
			seen += walk(&plan);
		greta_plan_close(&plan);
	}
	free(copy);
	return 0;
}

/* sim942: lists, checks, disassembles and runs the kernels of a code object. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "code.h"

static _Noreturn void die(const char *what, const char *why)
{
	fprintf(stderr, "sim942: %s: %s\n", what, why);
	exit(1);
}

static void *read_file(const char *path, size_t *size)
{
	FILE *f = fopen(path, "rb");
	if (!f)
		die(path, strerror(errno));
	fseek(f, 0, SEEK_END);
	*size = (size_t)ftell(f);
	rewind(f);
	void *data = malloc(*size + 1);
	if (!data || fread(data, 1, *size, f) != *size)
		die(path, "cannot read it");
	fclose(f);
	return data;
}

static void list(const struct sim942_code *code)
{
	printf("%-40s %6s %6s %6s %8s %8s %8s %8s %8s\n", "kernel", "vgprs", "agprs", "sgprs", "lds", "scratch", "kernarg",
			"vspills", "sspills");
	for (size_t i = 0; i < sim942_kernel_count(code); i++) {
		const struct sim942_kernel *k = sim942_kernel_at(code, i);
		printf("%-40s %6u %6u %6u %8u %8u %8u %8u %8u\n", k->name, k->vgprs, k->agprs, k->sgprs, k->lds_bytes,
				k->scratch_bytes,
			k->kernarg_bytes, k->vgpr_spills, k->sgpr_spills);
	}
}

static const char *symbol_at(const struct sim942_code *code, uint64_t vaddr)
{
	for (size_t i = 0; i < code->symbol_count; i++)
		if (code->symbols[i].vaddr == vaddr && code->symbols[i].size)
			return code->symbols[i].name;
	return NULL;
}

static void print_insns(const struct sim942_code *code, bool only_unmodelled)
{
	size_t missing = 0;
	for (size_t i = 0; i < code->insn_count; i++) {
		const struct insn *in = &code->insns[i];
		const char *name = symbol_at(code, in->pc);
		bool unmodelled = in->fn == insn_unsupported;
		missing += unmodelled;
		if (name && !only_unmodelled)
			printf("\n%s:\n", name);
		if (unmodelled || !only_unmodelled)
			printf("%8x  %s%s\n", in->pc, code->texts + in->text, unmodelled ? "    <-- not modelled" : "");
	}
	if (only_unmodelled) {
		printf("%zu instructions, %zu not modelled\n", code->insn_count, missing);
		exit(missing != 0);
	}
}

/* Arguments of `run`: i32:N i64:N u8:N f32:X f64:X, in:FILE, out:FILE:BYTES, inout:FILE. */
struct buffer { char *path; void *data; size_t size; };

static size_t parse_argument(char *text, void *value, struct buffer *buffer)
{
	char *colon = strchr(text, ':');
	if (!colon)
		die(text, "an argument is TYPE:VALUE");
	*colon++ = 0;
	if (!strcmp(text, "i32")) { int32_t x = (int32_t)strtol(colon, NULL, 0); memcpy(value, &x, 4); return 4; }
	if (!strcmp(text, "u8")) { uint8_t x = (uint8_t)strtol(colon, NULL, 0); memcpy(value, &x, 1); return 1; }
	if (!strcmp(text, "i64")) { int64_t x = strtoll(colon, NULL, 0); memcpy(value, &x, 8); return 8; }
	if (!strcmp(text, "f32")) { float x = strtof(colon, NULL); memcpy(value, &x, 4); return 4; }
	if (!strcmp(text, "f64")) { double x = strtod(colon, NULL); memcpy(value, &x, 8); return 8; }
	if (!strcmp(text, "in") || !strcmp(text, "inout")) {
		buffer->data = read_file(colon, &buffer->size);
		buffer->path = text[2] ? colon : NULL;
	} else if (!strcmp(text, "out")) {
		char *size = strrchr(colon, ':');
		if (!size)
			die(colon, "out:FILE:BYTES");
		*size++ = 0;
		buffer->path = colon;
		buffer->size = strtoull(size, NULL, 0);
		buffer->data = calloc(1, buffer->size + 1);
	} else {
		die(text, "unknown argument type");
	}
	sim942_track(buffer->data, buffer->size);
	memcpy(value, &buffer->data, 8);
	return 8;
}

static void parse_sizes(const char *text, uint32_t size[3])
{
	size[0] = size[1] = size[2] = 1;
	if (sscanf(text, "%u,%u,%u", &size[0], &size[1], &size[2]) < 1)
		die(text, "sizes are X[,Y[,Z]]");
}

static void run(const struct sim942_code *code, int argc, char **argv)
{
	if (argc < 3)
		die("run", "FILE KERNEL BLOCKS THREADS [LDS:BYTES] ARGUMENT...");
	const struct sim942_kernel *k = sim942_kernel_by_name(code, argv[0]);
	if (!k)
		die(argv[0], "no such kernel");
	const struct sim942_arg *args;
	size_t count = sim942_kernel_args(k, &args);
	struct buffer buffers[64] = {0};
	uint8_t *kernarg = calloc(1, k->kernarg_bytes + 64);
	struct sim942_dispatch d = { .descriptor = k->descriptor, .kernarg = kernarg, .lds_bytes = k->lds_bytes };
	struct sim942_stats stats = {0};
	uint32_t blocks[3], dynamic_lds = 0;
	char err[1024];
	parse_sizes(argv[1], blocks);
	parse_sizes(argv[2], d.workgroup);
	argc -= 3;
	argv += 3;
	if (argc && !strncmp(argv[0], "LDS:", 4)) {
		dynamic_lds = (uint32_t)strtoul(argv[0] + 4, NULL, 0);
		argc--;
		argv++;
	}
	d.lds_bytes += dynamic_lds;
	for (int i = 0; i < 3; i++)
		d.grid[i] = blocks[i] * d.workgroup[i];
	for (int i = 0; i < argc && i < 64; i++) {
		uint8_t value[8];
		if ((size_t)i >= count || !strncmp(args[i].kind, "hidden_", 7))
			die(argv[i], "the kernel has fewer arguments");
		size_t size = parse_argument(argv[i], value, &buffers[i]);
		if (size != args[i].size)
			die(argv[i], "the kernel's argument has another size");
		memcpy(kernarg + args[i].offset, value, size);
	}
	sim942_fill_hidden(k, kernarg, d.grid, d.workgroup, dynamic_lds);
	struct timespec a, b;
	clock_gettime(CLOCK_MONOTONIC, &a);
	if (sim942_run(&d, &stats, err, sizeof err))
		die("run", err);
	clock_gettime(CLOCK_MONOTONIC, &b);
	for (int i = 0; i < 64; i++)
		if (buffers[i].path) {
			FILE *f = fopen(buffers[i].path, "wb");
			if (!f || fwrite(buffers[i].data, 1, buffers[i].size, f) != buffers[i].size || fclose(f))
				die(buffers[i].path, "cannot write it");
		}
	double seconds = (double)(b.tv_sec - a.tv_sec) + 1e-9 * (double)(b.tv_nsec - a.tv_nsec);
	printf("%.3f s, %llu instructions (%.1f M/s): valu %llu salu %llu vmem %llu smem %llu lds %llu mfma %llu; "
			"read %llu, written %llu bytes\n",
		seconds, (unsigned long long)stats.instructions, 1e-6 * (double)stats.instructions / seconds,
				(unsigned long long)stats.valu,
		(unsigned long long)stats.salu, (unsigned long long)stats.vmem, (unsigned long long)stats.smem,
				(unsigned long long)stats.lds,
		(unsigned long long)stats.mfma, (unsigned long long)stats.bytes_read, (unsigned long long)stats.bytes_written);
}

int main(int argc, char **argv)
{
	char err[1024];
	size_t size;
	struct sim942_code *code;
	if (argc < 3) {
		fprintf(stderr, "usage: sim942 list FILE        kernels and their resources\n"
			"       sim942 disasm FILE      instructions, those that are not modelled marked\n"
			"       sim942 check FILE       instructions that are not modelled; status 1 if there are any\n"
			"       sim942 run FILE KERNEL BLOCKS THREADS [LDS:BYTES] ARGUMENT...\n"
			"                               ARGUMENT: i32:N i64:N u8:N f32:X f64:X in:FILE inout:FILE out:FILE:BYTES\n");
		return 2;
	}
	void *elf = read_file(argv[2], &size);
	if (sim942_load(elf, size, &code, err, sizeof err))
		die(argv[2], err);
	free(elf);
	if (!strcmp(argv[1], "list"))
		list(code);
	else if (!strcmp(argv[1], "disasm") || !strcmp(argv[1], "check"))
		print_insns(code, *argv[1] == 'c');
	else if (!strcmp(argv[1], "run"))
		run(code, argc - 3, argv + 3);
	else
		die(argv[1], "unknown command");
	sim942_unload(code);
	return 0;
}

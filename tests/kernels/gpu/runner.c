#include "tests/kernels/gpu/runner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/kernels/harness.h"

#define BAND 256
#define BAND_BYTE 0xa5
#define ALIGNMENT 64 /* of what a plan places: regions begin at more, buffers and tensors at multiples of this */
#define POINTERS_MAX 16
#define COPIES_MIN 8 /* of a launch that is timed */
#define COPIES_MAX 256

struct gpu_runner *gpu_runner_open(const char *name, char *why, size_t why_bytes)
{
	char who[16];
	const char *target = strchr(name, ':');
	snprintf(who, sizeof(who), "%.*s", (int)strcspn(name, ":"), name);
	target = target ? target + 1 : NULL;
	return strcmp(who, "sim") == 0 ? gpu_runner_open_sim(target, why, why_bytes)
	                               : gpu_runner_open_device(who, target, why, why_bytes);
}

void gpu_runner_close(struct gpu_runner *runner)
{
	if (runner)
		runner->backend->close(runner);
}

/* A buffer of the test and its copy in the runner's memory. */
struct mirror {
	uint8_t *host, *device;
	size_t bytes, band;
	bool written;
};

struct mirrors {
	struct mirror list[POINTERS_MAX];
	size_t count;
};

static void require(struct gpu_runner *runner, int status, const char *what)
{
	if (status)
		fail_msg("%s: %s: %s", runner->name, what, runner->error);
}

static struct mirror *mirror_of(struct gpu_runner *runner, struct mirrors *mirrors, void *host, size_t bytes)
{
	for (size_t i = 0; i < mirrors->count; i++)
		if (mirrors->list[i].host == host)
			return &mirrors->list[i];
	assert_true(mirrors->count < POINTERS_MAX);
	struct mirror *made = &mirrors->list[mirrors->count++];
	size_t band = BAND + (size_t)ALIGNMENT * check_below(4);
	uint8_t *whole = malloc(bytes + 2 * band);
	assert_non_null(whole);
	memset(whole, BAND_BYTE, bytes + 2 * band);
	memcpy(whole + band, host, bytes);
	*made = (struct mirror){
	    .host = host, .bytes = bytes, .band = band, .device = runner->backend->allocate(runner, band, bytes)};
	require(runner, made->device ? 0 : -1, "allocation");
	require(runner, runner->backend->write(runner, made->device - band, whole, bytes + 2 * band), "upload");
	free(whole);
	return made;
}

/* Where the kernel finds what `pointer` points at. */
static void *moved(struct gpu_runner *runner, struct mirrors *mirrors, const struct greta_field *field,
		uint8_t *pointer)
{
	void *host = pointer;
	size_t bytes = sizeof(struct greta_state);
	if (strcmp(field->name, "state") != 0 && !check_find(pointer, &host, &bytes))
		fail_msg("field %s does not point at memory of check_alloc", field->name);
	struct mirror *mirror = mirror_of(runner, mirrors, host, bytes);
	mirror->written |= field->kind != GRETA_IN;
	return mirror->device + (pointer - mirror->host);
}

static void fetch(struct gpu_runner *runner, struct mirror *mirror, const char *kernel)
{
	size_t band = mirror->band;
	uint8_t *whole = malloc(mirror->bytes + 2 * band), *data = whole + band;
	assert_non_null(whole);
	require(runner, runner->backend->read(runner, whole, mirror->device - band, mirror->bytes + 2 * band),
	        "download");
	for (size_t i = 0; i < band; i++) {
		if (whole[i] != BAND_BYTE)
			fail_msg("%s: %s wrote a byte %zu before a buffer", runner->name, kernel, band - i);
		if (data[mirror->bytes + i] != BAND_BYTE)
			fail_msg("%s: %s wrote a byte %zu after a buffer of %zu", runner->name, kernel, i,
			         mirror->bytes);
	}
	if (mirror->written)
		memcpy(mirror->host, data, mirror->bytes);
	else if (memcmp(mirror->host, data, mirror->bytes) != 0)
		fail_msg("%s: %s wrote into a buffer that it only reads", runner->name, kernel);
	runner->backend->release(runner, band, mirror->device);
	free(whole);
}

/* A copy of the arguments whose pointers lead to mirrors. */
static uint8_t *moved_args(struct gpu_runner *runner, struct mirrors *mirrors, const struct greta_kernel_info *info,
                           const void *args)
{
	uint8_t *copy = malloc(info->args_bytes);
	assert_non_null(copy);
	memcpy(copy, args, info->args_bytes);
	for (uint32_t f = 0; f < info->field_count; f++) {
		const struct greta_field *field = &info->fields[f];
		void *pointer;
		if (field->kind != GRETA_IN && field->kind != GRETA_OUT && field->kind != GRETA_IO)
			continue;
		memcpy(&pointer, copy + field->offset, sizeof(pointer));
		if (pointer)
			pointer = moved(runner, mirrors, field, pointer);
		memcpy(copy + field->offset, &pointer, sizeof(pointer));
	}
	return copy;
}

void gpu_runner_launch(struct gpu_runner *runner, enum greta_kernel kernel, const char *function,
                       const struct gpu_grid *grid, const void *args)
{
	const struct greta_kernel_info *info = greta_kernel_info(kernel);
	struct mirrors mirrors = {.count = 0};
	uint8_t *copy = moved_args(runner, &mirrors, info, args);
	struct gpu_launch launch = {function, *grid, copy, info->args_bytes};
	require(runner, runner->backend->launch(runner, &launch), function);
	for (size_t i = 0; i < mirrors.count; i++)
		fetch(runner, &mirrors.list[i], function);
	free(copy);
}

static size_t bytes_of(const struct mirrors *mirrors)
{
	size_t sum = 0;
	for (size_t i = 0; i < mirrors->count; i++)
		sum += mirrors->list[i].bytes;
	return sum;
}

double gpu_runner_time(struct gpu_runner *runner, enum greta_kernel kernel, const char *function,
                       const struct gpu_grid *grid, const void *args, size_t cold_bytes)
{
	const struct greta_kernel_info *info = greta_kernel_info(kernel);
	struct mirrors *mirrors = calloc(COPIES_MAX, sizeof(*mirrors));
	struct gpu_launch *launches = calloc(COPIES_MAX, sizeof(*launches));
	uint8_t *copies[COPIES_MAX];
	size_t count = 0;
	double seconds = 0;
	assert_true(mirrors && launches);
	for (size_t bytes = 0; count < COPIES_MAX && (count < COPIES_MIN || bytes < cold_bytes); count++) {
		copies[count] = moved_args(runner, &mirrors[count], info, args);
		launches[count] = (struct gpu_launch){function, *grid, copies[count], info->args_bytes};
		bytes += bytes_of(&mirrors[count]);
	}
	require(runner, runner->backend->time ? runner->backend->time(runner, launches, count, &seconds) : -1,
	        function);
	for (size_t i = 0; i < count; i++) {
		for (size_t m = 0; m < mirrors[i].count; m++)
			runner->backend->release(runner, mirrors[i].list[m].band, mirrors[i].list[m].device);
		free(copies[i]);
	}
	free(launches);
	free(mirrors);
	return seconds / (double)count;
}

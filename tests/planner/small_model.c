#include "small_model.h"

#include "models/synth.h"
#include "runtime/verify.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

void small_model_open(struct small_model *model, const char *shape, const char *mix)
{
	struct greta_error error;
	struct greta_synth_options options = {.mix = mix, .seed = 7};
	snprintf(model->path, sizeof(model->path), "/tmp/greta-small-XXXXXX");
	int fd = mkstemp(model->path);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(greta_synth_parse_shape(shape, &options.shape, &error), GRETA_OK);
	assert_int_equal(greta_synth_write(&options, model->path, &error), GRETA_OK);
	assert_int_equal(greta_gguf_open(model->path, &model->gguf, &error), GRETA_OK);
	assert_int_equal(greta_llama_init(&model->llama, model->gguf, &error), GRETA_OK);
}

void small_model_close(struct small_model *model)
{
	greta_llama_finish(&model->llama);
	greta_gguf_close(model->gguf);
	unlink(model->path);
}

struct greta_plan_image small_model_plan(const struct small_model *model, uint32_t fuse)
{
	return small_model_plan_for(model, "cpu", fuse);
}

static struct greta_plan_image build(const struct small_model *model, struct greta_plan_options options)
{
	static const uint32_t prefill[] = {2, 32};
	options.prefill = prefill;
	options.prefill_count = 2;
	options.threads = 1;
	struct greta_plan_image image;
	struct greta_error error;
	if (greta_plan_build(&model->llama, &options, &image, &error) != GRETA_OK)
		fail_msg("%s", error.message);
	return image;
}

struct greta_plan_image small_model_plan_for(const struct small_model *model, const char *target, uint32_t fuse)
{
	return build(model, (struct greta_plan_options){.target = target, .fuse = fuse});
}

struct greta_plan_image small_model_plan_stamped(const struct small_model *model, const char *target)
{
	return build(model, (struct greta_plan_options){.target = target, .fuse = GRETA_FUSE_FULL,
							.stamps = GRETA_PLAN_STAMPS_LAUNCHES});
}

struct greta_plan_image copy_of(const struct greta_plan_image *image)
{
	struct greta_plan_image copy = {aligned_alloc(64, (image->size + 63) / 64 * 64), image->size};
	assert_non_null(copy.data);
	memcpy(copy.data, image->data, image->size);
	return copy;
}

void repair_checksum(struct greta_plan_image *image)
{
	struct greta_plan_header *header = image->data;
	if (image->size >= sizeof(*header))
		header->checksum = greta_plan_checksum(image->data, image->size);
}

enum greta_status accept(const struct greta_plan_image *image, struct greta_error *error)
{
	struct greta_plan plan;
	enum greta_status status = greta_plan_open_memory(image->data, image->size, &plan, error);
	if (status != GRETA_OK)
		return status;
	status = greta_verify_plan(&plan, error);
	greta_plan_close(&plan);
	return status;
}

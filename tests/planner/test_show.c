/* What the views of a plan make of text from outside. */
#include "planner/show.h"
#include "small_model.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct small_model model;

static int open_model(void **state)
{
	(void)state;
	small_model_open(&model, "embd=256,layers=1,heads=4,kv=2,ffn=256,vocab=260,ctx=40", "Q4_K_M");
	return 0;
}

static int close_model(void **state)
{
	(void)state;
	small_model_close(&model);
	return 0;
}

/* The picture's title is `expected` when the model's name is `name`, in the place of the plan's own. */
static void titled(const char *name, const char *expected)
{
	struct greta_plan_image image = small_model_plan(&model, GRETA_FUSE_FULL);
	struct greta_error error;
	struct greta_plan plan;
	const struct greta_plan_header *header = image.data;
	char *place = (char *)image.data + header->sections[GRETA_PLAN_STRINGS].offset + header->model_name;
	char *picture = NULL, title[128];
	size_t length = 0;
	assert_true(strlen(name) <= strlen(place));
	memset(place, 'x', strlen(place));
	for (size_t i = 0; name[i]; i++)
		place[i] = name[i];
	repair_checksum(&image);
	assert_int_equal(greta_plan_open_memory(image.data, image.size, &plan, &error), GRETA_OK);
	FILE *out = open_memstream(&picture, &length);
	assert_non_null(out);
	greta_show_svg(&plan, 0, out);
	assert_int_equal(fclose(out), 0);
	snprintf(title, sizeof(title), "y='40'>%s", expected);
	if (!strstr(picture, title))
		fail_msg("no %s in %.4000s", title, picture);
	free(picture);
	greta_plan_image_finish(&image);
}

static void pictures_are_xml_whatever_the_model_is_called(void **state)
{
	(void)state;
	titled("a<&>", "a&lt;&amp;&gt;x");
	titled("caf\xe9", "caf\ufffdx");
	titled("\xc3\xa9\xe2\x82\xac", "\u00e9\u20acx");
	titled("\xf0\x9f\x98\x80", "\U0001f600x");
	titled("a\xef\xbf\xbf", "a\ufffdx"); /* U+FFFF: a character, but none of XML's */
	titled("a\xef\xbf\xbe", "a\ufffdx");
	titled("a\xef\xbf\xbd", "a\ufffdx");
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(pictures_are_xml_whatever_the_model_is_called)};
	return cmocka_run_group_tests_name("show", tests, open_model, close_model);
}

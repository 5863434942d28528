/* The cache folder: where it is, what its files are named after, and that it does not grow without end. */
#include "runtime/cache.h"
#include "runtime/content.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/greta-cache-XXXXXX";
static const char *tiny; /* a model that has not changed for some seconds */

static void join(char path[512], const char *name)
{
	snprintf(path, 512, "%s/%s", folder, name);
}

/* Writes `count` bytes over the file's at `offset`, and gives it a time of long ago. */
static void write_at(const char *path, off_t offset, const void *bytes, size_t count)
{
	const struct timespec times[2] = {{.tv_sec = 1000000000}, {.tv_sec = 1000000000}};
	int fd = open(path, O_RDWR | O_CREAT, 0600);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, bytes, count, offset), count);
	assert_int_equal(futimens(fd, times), 0);
	close(fd);
}

static void count_reading(void *user, const char *what, uint64_t done, uint64_t total)
{
	assert_string_equal(what, "reading the model");
	assert_true(done <= total);
	*(int *)user |= done == total;
}

/* The contents of the file; *out_readings: whether it was read for that. */
static struct greta_content content_of(const char *path, int *out_readings)
{
	struct greta_gguf *gguf;
	struct greta_content content;
	*out_readings = 0;
	assert_int_equal(greta_gguf_open(path, &gguf, NULL), GRETA_OK);
	assert_true(greta_content_find(&content, gguf, folder, 2, count_reading, out_readings));
	assert_true(greta_content_is(&content, gguf, 1));
	greta_gguf_close(gguf);
	return content;
}

/* Copies tiny, which has one tensor at least of more than 8 KiB; returns the middle of one such. */
static off_t copy_tiny(const char *path)
{
	struct greta_gguf *gguf;
	off_t middle = 0;
	assert_int_equal(greta_gguf_open(tiny, &gguf, NULL), GRETA_OK);
	write_at(path, 0, greta_gguf_data(gguf), greta_gguf_size(gguf));
	for (size_t i = 0; i < greta_gguf_tensor_count(gguf) && !middle; i++)
		if (greta_gguf_tensor(gguf, i)->bytes > 3 * 8192)
			middle = (off_t)(greta_gguf_tensor(gguf, i)->offset + greta_gguf_tensor(gguf, i)->bytes / 2);
	greta_gguf_close(gguf);
	assert_true(middle > 0);
	return middle;
}

static int remove_made(void **state)
{
	char command[600];
	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s/*", folder);
	return system(command);
}

/* ---- Tests ---- */

static void the_cache_folder_is_made_where_it_belongs(void **state)
{
	char path[512], inner[1024], *found = NULL;
	struct greta_error error;
	uint8_t fingerprint[16] = {0xab, 1};
	(void)state;
	join(path, "xdg");
	setenv("XDG_CACHE_HOME", path, 1);
	assert_int_equal(greta_cache_folder(NULL, &found, &error), GRETA_OK);
	snprintf(inner, sizeof(inner), "%s/greta", path);
	assert_string_equal(found, inner);
	assert_int_equal(rmdir(inner), 0);
	assert_int_equal(rmdir(path), 0);
	free(found);
	join(path, "home");
	setenv("XDG_CACHE_HOME", "relative", 1); /* not valid: as if unset */
	setenv("HOME", path, 1);
	assert_int_equal(greta_cache_folder(NULL, &found, &error), GRETA_OK);
	snprintf(inner, sizeof(inner), "%s/.cache/greta", path);
	assert_string_equal(found, inner);
	free(found);
	assert_int_equal(rmdir(inner), 0);
	snprintf(inner, sizeof(inner), "%s/.cache", path);
	assert_int_equal(rmdir(inner), 0);
	assert_int_equal(rmdir(path), 0);
	found = NULL;
	assert_int_equal(greta_cache_folder("/dev/null/x", &found, &error), GRETA_ERROR_IO);
	unsetenv("HOME");
	unsetenv("XDG_CACHE_HOME");
	assert_int_equal(greta_cache_folder(NULL, &found, &error), GRETA_ERROR_IO);
	assert_null(found);
	found = greta_cache_path("/c", fingerprint, 0x1f, "plan");
	assert_string_equal(found, "/c/ab010000000000000000000000000000-000000000000001f.plan");
	free(found);
}

static void contents_are_found_by_reading_once(void **state)
{
	int readings;
	(void)state;
	struct greta_content first = content_of(tiny, &readings);
	assert_int_equal(readings, 1);
	struct greta_content again = content_of(tiny, &readings);
	assert_int_equal(readings, 0);
	assert_memory_equal(&first, &again, sizeof(first));
}

static void what_is_remembered_wrongly_is_read_again(void **state)
{
	int readings;
	char command[600];
	(void)state;
	struct greta_content first = content_of(tiny, &readings);
	snprintf(command, sizeof(command), "f=$(ls %s/*.content) && printf x | dd of=$f bs=1 seek=70 conv=notrunc 2>/dev/null",
		 folder);
	assert_int_equal(system(command), 0);
	struct greta_content again = content_of(tiny, &readings);
	assert_int_equal(readings, 1);
	assert_memory_equal(&first, &again, sizeof(first));
}

static void contents_are_those_of_all_bytes_and_of_nothing_else(void **state)
{
	char path[512], other[512];
	uint8_t byte = 0;
	int readings;
	(void)state;
	join(path, "copy.gguf");
	join(other, "moved.gguf");
	struct greta_content original = content_of(tiny, &readings);
	off_t middle = copy_tiny(path);
	struct greta_content copy = content_of(path, &readings);
	assert_memory_equal(&original, &copy, sizeof(copy));
	assert_int_equal(rename(path, other), 0);
	copy = content_of(other, &readings);
	assert_memory_equal(&original, &copy, sizeof(copy));
	/* Another byte where no fingerprint looks, with the size and the time that the file had. */
	int fd = open(other, O_RDONLY);
	assert_int_equal(pread(fd, &byte, 1, middle), 1);
	close(fd);
	byte ^= 1;
	write_at(other, middle, &byte, 1);
	struct greta_content edited = content_of(other, &readings);
	assert_int_equal(readings, 1);
	assert_memory_not_equal(&original, &edited, sizeof(edited));
}

static void a_change_while_the_file_is_open_is_seen(void **state)
{
	char path[512];
	uint8_t byte = 0x55;
	struct greta_gguf *gguf;
	struct greta_content content;
	(void)state;
	join(path, "copy.gguf");
	off_t middle = copy_tiny(path);
	assert_int_equal(greta_gguf_open(path, &gguf, NULL), GRETA_OK);
	assert_null(greta_gguf_file(gguf)); /* it has just been written */
	assert_true(greta_gguf_file_unchanged(gguf));
	assert_true(greta_content_find(&content, gguf, folder, 1, NULL, NULL));
	assert_true(greta_content_is(&content, gguf, 1));
	write_at(path, middle, &byte, 1);
	assert_false(greta_gguf_file_unchanged(gguf));
	assert_false(greta_content_is(&content, gguf, 1));
	greta_gguf_close(gguf);
}

static void what_was_not_used_for_the_longest_goes(void **state)
{
	static const char bytes[40000] = {1};
	static const char *const names[] = {
		"00000000000000000000000000000000-0000000000000000.plan",
		"11111111111111111111111111111111-1111111111111111.weights",
		"22222222222222222222222222222222-2222222222222222.content",
		"22222222222222222222222222222222-2222222222222222.plans",  /* the rest are others' */
		"2222222222222222222222222222222x-2222222222222222.plan",
		"22222222222222222222222222222222.2222222222222222.plan",
		"my.weights",
	};
	char path[512], keep[512];
	(void)state;
	for (int i = 0; i < 7; i++) {
		join(path, names[i]);
		write_at(path, 0, bytes, sizeof(bytes));
	}
	join(keep, names[2]);
	join(path, names[0]);
	greta_cache_used(path);
	greta_cache_trim(folder, 1 << 20, keep);
	for (int i = 0; i < 7; i++) {
		join(path, names[i]);
		assert_int_equal(access(path, F_OK), 0);
	}
	greta_cache_trim(folder, 100000, keep);
	for (int i = 0; i < 7; i++) {
		join(path, names[i]);
		assert_int_equal(access(path, F_OK), i == 1 ? -1 : 0);
	}
	greta_cache_trim(folder, 0, keep);
	for (int i = 0; i < 7; i++) {
		join(path, names[i]);
		assert_int_equal(access(path, F_OK), i < 2 ? -1 : 0);
	}
	greta_cache_trim("/nonexistent", 0, keep);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(the_cache_folder_is_made_where_it_belongs, remove_made),
		cmocka_unit_test_teardown(contents_are_found_by_reading_once, remove_made),
		cmocka_unit_test_teardown(what_is_remembered_wrongly_is_read_again, remove_made),
		cmocka_unit_test_teardown(contents_are_those_of_all_bytes_and_of_nothing_else, remove_made),
		cmocka_unit_test_teardown(a_change_while_the_file_is_open_is_seen, remove_made),
		cmocka_unit_test_teardown(what_was_not_used_for_the_longest_goes, remove_made),
	};
	if (argc != 2 || !mkdtemp(folder)) {
		fputs("usage: test-cache tiny.gguf\n", stderr);
		return 1;
	}
	tiny = argv[1];
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	rmdir(folder);
	return failed;
}

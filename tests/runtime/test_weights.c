/* Weights as the device gets them: packed once, kept, found again; refused when damaged; in memory when nothing can be
 * kept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kernels/rows16.h"
#include "models/new_file.h"
#include "runtime/packed_file.h"
#include "runtime/pieces.h"
#include "tests/runtime/toy.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/greta-test-weights-XXXXXX";

static void join(char out[512], const char *name)
{
	snprintf(out, 512, "%s/%s", folder, name);
}

/* The name of the only file there (copied), or how many there are. */
static size_t list(char out_name[256])
{
	DIR *open = opendir(folder);
	size_t count = 0;
	assert_non_null(open);
	for (struct dirent *entry; (entry = readdir(open));) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(out_name, 256, "%s", entry->d_name);
		count++;
	}
	closedir(open);
	return count;
}

static void remove_all(void)
{
	char name[256], path[512];
	while (list(name)) {
		join(path, name);
		assert_int_equal(unlink(path), 0);
	}
}

/* Opens a session over the toy model and checks its first word, which depends on every byte of the weights. */
static struct greta_stats open_and_speak(const struct greta_options *options, const char *cache)
{
	static const struct greta_sampling greedy = {.top_p = 1};
	static const int32_t prompt[] = {1, 2, 3};
	struct toy toy;
	struct greta *greta;
	struct greta_stats stats;
	struct greta_error error = {.message = ""};
	int32_t token;
	toy_init(&toy);
	struct greta_session_source source = toy_source(&toy, options);
	source.cache_folder = cache;
	if (greta_session_open(&source, &greta, &error) != GRETA_OK)
		fail_msg("%s", error.message);
	assert_int_equal(greta_feed(greta, prompt, 3, &error), GRETA_OK);
	assert_int_equal(greta_next(greta, &token, &error), GRETA_OK);
	assert_int_equal(token, toy_next(&toy, prompt, 3, &greedy));
	greta_get_stats(greta, &stats);
	greta_close(greta);
	toy_finish(&toy);
	return stats;
}

/* ---- Tests ---- */

static void packed_weights_are_kept_and_found_again(void **state)
{
	struct greta_options options = {.threads = 2};
	char name[256];
	(void)state;
	struct greta_stats first = open_and_speak(&options, folder);
	assert_false(first.weights_reused);
	assert_true(first.pack_ms > 0);
	assert_int_equal(list(name), 1);
	assert_non_null(strstr(name, ".weights"));
	struct greta_stats again = open_and_speak(&options, folder);
	assert_true(again.weights_reused);
	assert_true(again.pack_ms == 0);
	assert_true(again.mapped_bytes == first.mapped_bytes && again.mapped_bytes > 0);
	assert_int_equal(list(name), 1);
	remove_all();
}

static void flip(const char *path, off_t byte)
{
	int fd = open(path, O_RDWR);
	uint8_t value;
	assert_int_equal(pread(fd, &value, 1, byte), 1);
	value ^= 0x10;
	assert_int_equal(pwrite(fd, &value, 1, byte), 1);
	close(fd);
}

static void damaged_packed_weights_are_made_again(void **state)
{
	struct greta_options options = {.threads = 1};
	char name[256], path[512];
	(void)state;
	open_and_speak(&options, folder);
	assert_int_equal(list(name), 1);
	join(path, name);
	for (size_t byte = 0; byte < 64; byte += 5) { /* anywhere in the header's fields */
		flip(path, (off_t)byte);
		assert_false(open_and_speak(&options, folder).weights_reused);
		assert_true(open_and_speak(&options, folder).weights_reused);
	}
	assert_int_equal(truncate(path, 5000), 0);
	assert_false(open_and_speak(&options, folder).weights_reused);
	assert_int_equal(truncate(path, 0), 0);
	assert_false(open_and_speak(&options, folder).weights_reused);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0); /* something that can be neither read nor replaced */
	assert_false(open_and_speak(&options, folder).weights_reused);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(list(name), 0);
}

static void count_warnings(void *user, const char *message)
{
	assert_non_null(strstr(message, ".weights"));
	++*(int *)user;
}

static void damaged_contents_are_made_again_where_they_are_checked(void **state)
{
	int warnings = 0;
	struct greta_options options = {.threads = 2, .check_weights = true, .warn = count_warnings, .progress_user = &warnings};
	char name[256], path[512];
	struct stat found;
	(void)state;
	open_and_speak(&options, folder);
	assert_int_equal(list(name), 1);
	join(path, name);
	assert_int_equal(stat(path, &found), 0);
	for (off_t byte = GRETA_PACKED_HEADER_BYTES; byte < found.st_size; byte += 997) {
		int before = warnings;
		flip(path, byte);
		assert_false(open_and_speak(&options, folder).weights_reused);
		assert_int_equal(warnings, before + 1);
		assert_true(open_and_speak(&options, folder).weights_reused);
		assert_int_equal(warnings, before + 1);
	}
	flip(path, 8); /* another version is no damage */
	int before = warnings;
	assert_false(open_and_speak(&options, folder).weights_reused);
	assert_int_equal(warnings, before);
	remove_all();
}

static void a_cache_that_cannot_be_written_is_done_without(void **state)
{
	int warnings = 0;
	struct greta_options options = {.threads = 2, .warn = count_warnings, .progress_user = &warnings};
	struct rlimit before, little;
	char name[256];
	(void)state;
	assert_false(open_and_speak(&options, "/dev/null/nowhere").weights_reused);
	assert_false(open_and_speak(&options, NULL).weights_reused);
	assert_int_equal(warnings, 1);
	/* No space, as far as fallocate is concerned. */
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	little = before;
	little.rlim_cur = 4096;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);
	struct greta_stats stats = open_and_speak(&options, folder);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_false(stats.weights_reused);
	assert_true(stats.pack_ms > 0);
	assert_int_equal(warnings, 2);
	assert_int_equal(list(name), 0);
}

static void uploaded_weights_are_the_same(void **state)
{
	struct greta_options options = {.threads = 2, .force_upload = true, .guard = true};
	char name[256];
	(void)state;
	struct greta_stats stats = open_and_speak(&options, folder);
	assert_true(stats.upload_ms > 0 && stats.pack_ms == 0 && stats.mapped_bytes == 0);
	assert_int_equal(list(name), 0);
}

static void pieces_of_any_size_make_the_region(void **state)
{
	struct toy toy;
	struct greta_error error;
	(void)state;
	toy_init(&toy);
	const uint8_t *model = toy.builder.file.data;
	size_t size = toy.header.region_bytes[GRETA_REGION_WEIGHTS], a = toy.tensors[0].bytes;
	uint8_t *wanted = calloc(1, size), *made = calloc(1, size);
	assert_true(wanted && made);
	greta_rows16_pack(GRETA_TYPE_Q4_K, 40, 256, model + toy.tensors[0].source, 0, 3, wanted);
	memcpy(wanted + a, toy.constants, 64);
	for (uint64_t bytes = 1; bytes < 2 * a; bytes = bytes * 3 + 1) {
		struct greta_pieces pieces;
		uint64_t sum = 0;
		assert_int_equal(greta_pieces_init(&pieces, &toy.plan, GRETA_REGION_WEIGHTS, model,
		                                   toy.builder.file.length, bytes, &error),
		                 GRETA_OK);
		memset(made, 0xee, size);
		for (size_t i = pieces.count; i-- > 0;) {
			greta_piece_write(&pieces.items[i], made + pieces.items[i].offset);
			sum += pieces.items[i].bytes;
			assert_true(pieces.items[i].bytes <= pieces.most_bytes);
		}
		assert_int_equal(sum, size);
		assert_int_equal(pieces.bytes, size);
		assert_memory_equal(made, wanted, size);
		greta_pieces_finish(&pieces);
	}
	free(wanted);
	free(made);
	toy_finish(&toy);
}

static void tensors_outside_model_or_region_are_refused(void **state)
{
	struct toy toy;
	struct greta_pieces pieces = {0};
	struct greta_error error;
	(void)state;
	toy_init(&toy);
	uint64_t size = toy.builder.file.length;
	const struct greta_plan_tensor a = toy.tensors[0], b = toy.tensors[2];
	const struct greta_plan_tensor bad[] = {
		{.source = size - a.source_bytes + 1},
		{.source = UINT64_MAX - 10},
		{.source_bytes = a.source_bytes - 144},
		{.rows = 48},
		{.rows = UINT32_MAX},
		{.cols = 512},
		{.cols = 255},
		{.bytes = a.bytes - 64},
		{.offset = 128},
		{.offset = UINT64_MAX - 64},
		{.type = 3},
		{.type = GRETA_TYPE_F16},
		{.layout = 7},
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct greta_plan_tensor *t = &toy.tensors[0];
		*t = a;
		t->source = bad[i].source ? bad[i].source : a.source;
		t->source_bytes = bad[i].source_bytes ? bad[i].source_bytes : a.source_bytes;
		t->rows = bad[i].rows ? bad[i].rows : a.rows;
		t->cols = bad[i].cols ? bad[i].cols : a.cols;
		t->bytes = bad[i].bytes ? bad[i].bytes : a.bytes;
		t->offset = bad[i].offset ? bad[i].offset : a.offset;
		t->type = bad[i].type ? bad[i].type : a.type;
		t->layout = bad[i].layout ? bad[i].layout : a.layout;
		if (greta_pieces_init(&pieces, &toy.plan, GRETA_REGION_WEIGHTS, toy.builder.file.data, size, 4096,
		                      &error) != GRETA_ERROR_FORMAT)
			fail_msg("case %zu was taken", i);
		assert_null(pieces.items);
	}
	toy.tensors[0] = a;
	toy.tensors[2].source = size - b.source_bytes + 4;
	assert_int_equal(
		greta_pieces_init(&pieces, &toy.plan, GRETA_REGION_MODEL, toy.builder.file.data, size, 4096, &error),
		GRETA_ERROR_FORMAT);
	toy_finish(&toy);
}

static void new_files_appear_whole_or_not_at_all(void **state)
{
	struct greta_new_file file;
	struct greta_error error;
	char path[512], name[256], text[8] = "";
	(void)state;
	join(path, "file");
	assert_int_equal(greta_new_file_init(&file, path, &error), GRETA_OK);
	assert_int_equal(write(file.fd, "one", 3), 3);
	assert_int_equal(access(path, F_OK), -1);
	greta_new_file_finish(&file);
	assert_int_equal(list(name), 0);
	for (int round = 0; round < 2; round++) { /* the second replaces the first's, and keeps its permissions */
		assert_int_equal(greta_new_file_init(&file, path, &error), GRETA_OK);
		assert_int_equal(write(file.fd, round ? "two" : "one", 3), 3);
		assert_int_equal(greta_new_file_commit(&file, &error), GRETA_OK);
		greta_new_file_finish(&file);
		assert_int_equal(list(name), 1);
		int fd = open(path, O_RDONLY);
		assert_int_equal(read(fd, text, 3), 3);
		close(fd);
		assert_string_equal(text, round ? "two" : "one");
		struct stat about;
		assert_int_equal(stat(path, &about), 0);
		assert_true(round == 0 || (about.st_mode & 07777) == 0640);
		assert_int_equal(chmod(path, 0640), 0);
	}
	remove_all();
	assert_int_equal(greta_new_file_init(&file, "/nonexistent/folder/file", &error), GRETA_ERROR_IO);
	assert_non_null(strstr(error.message, "/nonexistent/folder/file"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packed_weights_are_kept_and_found_again),
		cmocka_unit_test(damaged_packed_weights_are_made_again),
		cmocka_unit_test(damaged_contents_are_made_again_where_they_are_checked),
		cmocka_unit_test(a_cache_that_cannot_be_written_is_done_without),
		cmocka_unit_test(uploaded_weights_are_the_same),
		cmocka_unit_test(pieces_of_any_size_make_the_region),
		cmocka_unit_test(tensors_outside_model_or_region_are_refused),
		cmocka_unit_test(new_files_appear_whole_or_not_at_all),
	};
	if (!mkdtemp(folder)) {
		perror(folder);
		return 1;
	}
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	rmdir(folder);
	return failed;
}

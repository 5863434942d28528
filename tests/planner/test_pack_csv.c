/* The packer's CSV files and command, called in this process. */
#include "planner/pack_csv.h"
#include "planner/commands.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/greta-pack-XXXXXX";

static int make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	(void)state;
	return rmdir(folder); /* fails when a test leaves a file behind */
}

static void expect_refusal(const char *text, const char *reason)
{
	struct greta_error error = {0};
	struct greta_pack_table table;
	enum greta_status status = greta_pack_csv_parse(text, strlen(text), "x.csv", &table, &error);
	if (status != GRETA_ERROR_FORMAT || strncmp(error.message, "x.csv:", 6) != 0 || !strstr(error.message, reason))
		fail_msg("'%s': status %d, '%s', expected '%s'", text, status, error.message, reason);
}

static void test_reads_columns_in_any_order(void **state)
{
	(void)state;
	static const char text[] =
	    "\xef\xbb\xbfsize,alignment,upper,id,lower,offset\r\n8,4,3,a b,1,x\r\n\r\n16,1,2,,0,\r\n";
	struct greta_pack_table table;
	assert_int_equal(greta_pack_csv_parse(text, strlen(text), "x", &table, NULL), GRETA_OK);
	assert_int_equal(table.count, 2);
	assert_true(table.has_alignment);
	assert_int_equal(table.buffers[0].size, 8);
	assert_int_equal(table.buffers[0].lower, 1);
	assert_int_equal(table.buffers[0].upper, 3);
	assert_int_equal(table.buffers[0].alignment, 4);
	assert_int_equal(table.names[0].length, 3);
	assert_memory_equal(table.names[0].start, "a b", 3);
	assert_int_equal(table.buffers[1].size, 16);
	greta_pack_table_finish(&table);
}

static void test_refuses_with_the_line(void **state)
{
	(void)state;
	expect_refusal("", ":1: the file is empty");
	expect_refusal("\n\n", "the file is empty");
	expect_refusal("b1,0,3,4\n", ":1: unknown column 'b1'");
	expect_refusal("id,lower,upper,size,gaps\n", ":1: unknown column 'gaps'");
	expect_refusal("id,lower,upper\n", ":1: column 'size' is missing");
	expect_refusal("id,lower,upper,size,size\n", ":1: column 'size' appears twice");
	expect_refusal("id,lower,upper,size,alignment,offset,id\n", ":1: more than 6 columns");
	expect_refusal("id,lower,upper,size\na,0,1\n", ":2: fewer than the 4 fields");
	expect_refusal("id,lower,upper,size\na,0,1,2,3\n", ":2: more than the 4 fields");
	expect_refusal("id,lower,upper,size\na,0,1,2\n\nb,-1,1,2\n", ":4: lower '-1' is not a number");
	expect_refusal(
	    "id,lower,upper,size\na,0,4294967296,2\n", ":2: upper '4294967296' is not a number from 0 to 4294967295");
	expect_refusal("id,lower,upper,size\na,0,1, 2\n", ":2: size ' 2' is not");
	expect_refusal("id,lower,upper,size\na,0,1,\n", ":2: size '' is not");
	expect_refusal("id,lower,upper,size\na,0,1,99999999999999999999\n", ":2: size '99999999999999999999' is not");
	expect_refusal("id,lower,upper,size\na,3,1,2\n", ":2: upper 1 is before lower 3");
	expect_refusal("id,lower,upper,size\n\"a\",0,1,2\n", ":2: id holds a quote");
	expect_refusal("id,lower,upper,size,alignment\na,0,1,2,24\n", ":2: alignment 24 is not a power of two");
	expect_refusal("id,lower,upper,size,alignment\na,0,1,2,0\n", ":2: alignment 0 is not a power of two");
	expect_refusal(
	    "id,lower,upper,size\na,0,1,9000000000000000000\nb,0,1,900000000000000000\n", ":3: the sizes add up");
}

/* Runs the command on a file holding `text`; the output file's contents go to `out`, empty when there is none. */
static int run(const char *text, const char *capacity, char *out, size_t room)
{
	char input[64], output[64], silent[64];
	snprintf(input, sizeof(input), "%s/in.csv", folder);
	snprintf(output, sizeof(output), "%s/out.csv", folder);
	snprintf(silent, sizeof(silent), "%s/stderr", folder);
	FILE *file = fopen(input, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
	char pack[] = "pack", option[] = "-o", limit[] = "--capacity", value[32];
	snprintf(value, sizeof(value), "%s", capacity ? capacity : "");
	char *with[] = {pack, limit, value, option, output, input, NULL},
	     *without[] = {pack, option, output, input, NULL};
	int saved = dup(2);
	assert_non_null(freopen(silent, "w", stderr));
	int status = capacity ? greta_plan_command_pack(6, with) : greta_plan_command_pack(4, without);
	fflush(stderr);
	dup2(saved, 2);
	close(saved);
	memset(out, 0, room);
	file = fopen(output, "r");
	if (file) {
		assert_true(fread(out, 1, room - 1, file) > 0);
		fclose(file);
		unlink(output);
	}
	unlink(input);
	unlink(silent);
	return status;
}

static const char example[] = "id,lower,upper,size\nx,0,2,4\ny,2,4,4\nz,1,3,2\n";

static void test_command_packs(void **state)
{
	(void)state;
	char out[256];
	assert_int_equal(run(example, NULL, out, sizeof(out)), 0);
	assert_string_equal(out, "id,lower,upper,size,offset\nx,0,2,4,0\ny,2,4,4,0\nz,1,3,2,4\n");
	assert_int_equal(run(example, "6", out, sizeof(out)), 0);
	char again[256];
	assert_int_equal(run(out, "6", again, sizeof(again)), 0);
	assert_string_equal(out, again);
	assert_int_equal(run("id,lower,upper,size,alignment\nx,0,1,3,4\ny,0,1,3,4\n", NULL, out, sizeof(out)), 0);
	assert_true(strncmp(out, "id,lower,upper,size,alignment,offset\nx,0,1,3,4,", 47) == 0);
}

static void test_command_writes_nothing_when_it_fails(void **state)
{
	(void)state;
	char out[256];
	assert_int_equal(run(example, "5", out, sizeof(out)), 1);
	assert_string_equal(out, "");
	assert_int_equal(run("id,lower,upper,size\na,0,1,x\n", "5", out, sizeof(out)), 1);
	assert_string_equal(out, "");
	assert_int_equal(run(example, "five", out, sizeof(out)), 2);
	assert_string_equal(out, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_reads_columns_in_any_order),
	    cmocka_unit_test(test_refuses_with_the_line),
	    cmocka_unit_test(test_command_packs),
	    cmocka_unit_test(test_command_writes_nothing_when_it_fails),
	};
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}

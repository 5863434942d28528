#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/runtime/fault_walk.h"

#include "tests/provider/fault.h"
#include "tests/provider/ledger.h"

#include <stdio.h>
#include <string.h>

static enum greta_status run(const struct fault_walk *walk, struct greta_hip *hip, struct greta_error *error)
{
	char held[256];
	error->message[0] = '\0';
	enum greta_status status = walk->run(walk->user, hip, error);
	if (ledger_held(held, sizeof(held)) || ledger_wrong())
		fail_msg("%s held, %lu wrongly given back, after: %s", *held ? held : "nothing", ledger_wrong(),
		    error->message);
	return status;
}

static unsigned long run_whole(const struct fault_walk *walk)
{
	struct greta_hip faulty, hip;
	struct greta_error error;
	fault_wrap(walk->hip, &faulty);
	ledger_wrap(&faulty, &hip);
	if (run(walk, &hip, &error) != GRETA_OK)
		fail_msg("without a fault: %s", error.message);
	return fault_count();
}

/* From here on a run closes: it waits a last time, and gives back. Nobody is left who could be told of a failure. */
static unsigned long find_closing(unsigned long calls)
{
	while (calls && fault_gives_back(fault_name(calls)))
		calls--;
	return calls && strcmp(fault_name(calls), "hipStreamSynchronize") == 0 ? calls : calls + 1;
}

static void check_told(enum greta_status status, hipError_t code, const char *name, const struct greta_error *error)
{
	const char *text = error->message, *named = strstr(text, name), *detail = strstr(text, " (injected");
	if (status != (code == hipErrorOutOfMemory ? GRETA_ERROR_MEMORY : GRETA_ERROR_DEVICE) ||
	    !strstr(text, greta_hip_error_name(code)) || !named || !detail || named > detail || strchr(text, '\n'))
		fail_msg("%s gave %s, and the error is %d: \"%s\"", name, greta_hip_error_name(code), (int)status, text);
}

/* Returns whether the failure was told. */
static bool run_with_fault(const struct fault_walk *walk, unsigned long nth)
{
	struct greta_hip faulty, hip;
	struct greta_error error;
	hipError_t code = nth % 2 ? hipErrorOutOfMemory : hipErrorLaunchFailure;
	fault_wrap(walk->hip, &faulty);
	ledger_wrap(&faulty, &hip);
	fault_fail_nth(nth, code);
	enum greta_status status = run(walk, &hip, &error);
	const char *name = fault_name(nth);
	if (!name) { /* what is there already is not waited for, so that a run can be shorter than the first one */
		assert_int_equal(status, GRETA_OK);
		return false;
	}
	assert_int_equal(fault_injected(), strcmp(name, "hipGetLastError") != 0);
	bool silent = !fault_injected() || (fault_gives_back(name) && strcmp(name, "hipStreamEndCapture") != 0);
	if (status == GRETA_OK && (silent || nth >= find_closing(fault_count())))
		return false;
	check_told(status, code, name, &error);
	return true;
}

static bool run_with_failing_poll(const struct fault_walk *walk, const char *name)
{
	struct greta_hip faulty, hip;
	struct greta_error error;
	fault_wrap(walk->hip, &faulty);
	ledger_wrap(&faulty, &hip);
	fault_fail_nth_of(name, 1, hipErrorLaunchFailure);
	enum greta_status status = run(walk, &hip, &error);
	if (!fault_injected())
		return false; /* the result was there before anyone asked */
	check_told(status, hipErrorLaunchFailure, name, &error);
	return true;
}

unsigned long walk_faults(const struct fault_walk *walk)
{
	unsigned long calls = run_whole(walk), told = 0, step = walk->step ? walk->step : 1;
	assert_true(calls > 0);
	for (unsigned long nth = 1; nth <= calls; nth = nth < calls && nth + step > calls ? calls : nth + step)
		told += run_with_fault(walk, nth);
	told += run_with_failing_poll(walk, "hipEventQuery");
	run_whole(walk);
	print_message("%lu calls, %lu failures told\n", calls, told);
	return told;
}

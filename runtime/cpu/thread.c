#include "runtime/cpu/thread.h"

#include <fenv.h>
#include <signal.h>
#include <stddef.h>

int greta_cpu_thread_start(pthread_t *out_thread, void *(*main_function)(void *), void *argument)
{
	static const int faults[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS };
	sigset_t blocked, before;
	sigfillset(&blocked);
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
		sigdelset(&blocked, faults[i]);
	/* The new thread inherits the mask, so no signal can slip in before it has set its own. */
	int code = pthread_sigmask(SIG_SETMASK, &blocked, &before);
	if (code)
		return code;
	code = pthread_create(out_thread, NULL, main_function, argument);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return code;
}

void greta_cpu_thread_ready(const char *name)
{
	fesetenv(FE_DFL_ENV);
	pthread_setname_np(pthread_self(), name);
}

/* The threads that run kernels. */
#ifndef GRETA_CPU_THREAD_H
#define GRETA_CPU_THREAD_H

#include <pthread.h>

/* Starts a thread that takes no signals meant for the process: those go to the threads of the program around it.
 * Signals that a fault raises in the thread itself (SIGSEGV and its like) stay open. Returns 0 or an errno value. */
int greta_cpu_thread_start(pthread_t *out_thread, void *(*main_function)(void *), void *argument);

/* To be called first in the new thread: gives it its name (15 characters at most) and IEEE's default floating-point
 * environment (round to nearest, subnormals kept), whatever the thread that started it had set. */
void greta_cpu_thread_ready(const char *name);

#endif

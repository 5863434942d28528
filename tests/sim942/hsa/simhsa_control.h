/* What a program may tell the simulated device, to time the host's part of a launch alone: a device that does nothing
 * takes no processor from the host. A program gets the functions through dlsym(RTLD_DEFAULT, ...), as the counters. */
#ifndef SIMHSA_CONTROL_H
#define SIMHSA_CONTROL_H
#ifdef __cplusplus
extern "C" {
#endif
/* held != 0: no queue takes a packet from now on, as if the device were busy with earlier work; 0: they go on. A host
 * that waits meanwhile for what is enqueued waits for ever. */
void simhsa_hold(int held);
/* skip != 0: kernels end without having run; every other packet does what it does. */
void simhsa_skip_kernels(int skip);
#ifdef __cplusplus
}
#endif
#endif

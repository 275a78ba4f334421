#pragma once

// A detached thread of `stack` bytes that runs body(context) and ends; 0 or -errno. pthread_create(3)
int cl_thread_start(const char *name, unsigned long stack, void (*body)(void *), void *context);

// An unnamed semaphore on the heap (sem_init(3)); NULL when memory is short. Destroy it only when nobody waits on it.
void *cl_semaphore_make(void);
void cl_semaphore_destroy(void *semaphore);
void cl_semaphore_post(void *semaphore);
// Waits at most `milliseconds` on CLOCK_MONOTONIC: 0 when posted, -ETIMEDOUT otherwise.
int cl_semaphore_wait(void *semaphore, int milliseconds);

// What the calling thread belongs to; NULL until it is set.
void cl_thread_set_owner(const void *owner);
const void *cl_thread_owner(void);

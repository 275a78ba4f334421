#define _GNU_SOURCE
#include "blocking_thread.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <time.h>

struct start {
    void (*body)(void *);
    void *context;
    char name[16];
};

static void *run(void *argument) {
    struct start start = *(struct start *)argument;
    free(argument);
    pthread_setname_np(pthread_self(), start.name);
    start.body(start.context);
    return NULL;
}

int cl_thread_start(const char *name, unsigned long stack, void (*body)(void *), void *context) {
    struct start *start = calloc(1, sizeof *start);
    if (start == NULL)
        return -ENOMEM;
    start->body = body;
    start->context = context;
    for (int i = 0; i < 15 && name[i] != 0; i++)
        start->name[i] = name[i];

    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    int error = pthread_attr_setstacksize(&attributes, stack);
    pthread_t thread;
    if (error == 0)
        error = pthread_create(&thread, &attributes, run, start);
    pthread_attr_destroy(&attributes);
    if (error != 0)
        free(start);
    return -error;
}

void *cl_semaphore_make(void) {
    sem_t *semaphore = malloc(sizeof *semaphore);
    if (semaphore != NULL)
        sem_init(semaphore, 0, 0);
    return semaphore;
}

void cl_semaphore_destroy(void *semaphore) {
    sem_destroy(semaphore);
    free(semaphore);
}

void cl_semaphore_post(void *semaphore) {
    sem_post(semaphore);
}

int cl_semaphore_wait(void *semaphore, int milliseconds) {
    struct timespec end;
    clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += milliseconds / 1000;
    end.tv_nsec += (long)(milliseconds % 1000) * 1000000;
    if (end.tv_nsec >= 1000000000) {
        end.tv_sec += 1;
        end.tv_nsec -= 1000000000;
    }
    int result;
    do
        result = sem_clockwait(semaphore, CLOCK_MONOTONIC, &end);
    while (result != 0 && errno == EINTR);
    return result == 0 ? 0 : -errno;
}

static _Thread_local const void *thread_owner;

void cl_thread_set_owner(const void *owner) {
    thread_owner = owner;
}

const void *cl_thread_owner(void) {
    return thread_owner;
}

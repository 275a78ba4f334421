#pragma once
#include <stdint.h>

// Descriptors to wait for and on: one system call each; a negative result is -errno.

long cl_epoll_create(void);
long cl_epoll_add(int epoll, int fd, uint32_t events, uint64_t token);
long cl_epoll_modify(int epoll, int fd, uint32_t events, uint64_t token);
long cl_epoll_remove(int epoll, int fd);
// Events come as pairs of (token, events); `pairs` has room for 2 * max words, max <= 64.
long cl_epoll_wait(int epoll, uint64_t *pairs, int max, int timeout_milliseconds);
long cl_eventfd(void);
// A timer on CLOCK_MONOTONIC.
long cl_timerfd(void);
// One expiry from now; 0 disarms.
long cl_timerfd_set(int fd, int64_t nanoseconds);
// A descriptor for the signals whose bit (signal - 1) is set.
long cl_signalfd(uint64_t mask);
// poll(2) of one descriptor; the events that hold.
long cl_poll(int fd, short events, int timeout_milliseconds);
// poll(2) of two descriptors for reading, without a limit: 1 for the first, 2 for the second, and their sum.
long cl_poll_two(int first, int second);
// inotify(7)
long cl_inotify(void);
long cl_inotify_add(int fd, const char *path, uint32_t mask);

#include "constants.h"
#include "waiting.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>

#define RESULT(call)                                                                                                   \
    do {                                                                                                               \
        long result_ = (long)(call);                                                                                   \
        return result_ < 0 ? -errno : result_;                                                                         \
    } while (0)

enum { batch_max = 64 };

long cl_epoll_create(void) { RESULT(epoll_create1(EPOLL_CLOEXEC)); }
long cl_epoll_add(int epoll, int fd, uint32_t events, uint64_t token) {
    struct epoll_event event = {.events = events, .data.u64 = token};
    RESULT(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
}
long cl_epoll_modify(int epoll, int fd, uint32_t events, uint64_t token) {
    struct epoll_event event = {.events = events, .data.u64 = token};
    RESULT(epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event));
}
long cl_epoll_remove(int epoll, int fd) {
    struct epoll_event event = {0};
    RESULT(epoll_ctl(epoll, EPOLL_CTL_DEL, fd, &event));
}
long cl_epoll_wait(int epoll, uint64_t *pairs, int max, int timeout_milliseconds) {
    struct epoll_event events[batch_max];
    int count = epoll_wait(epoll, events, max < batch_max ? max : batch_max, timeout_milliseconds);
    if (count < 0)
        return -errno;
    for (int i = 0; i < count; i++) {
        pairs[2 * i] = events[i].data.u64;
        pairs[2 * i + 1] = events[i].events;
    }
    return count;
}
long cl_eventfd(void) { RESULT(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)); }
long cl_timerfd(void) { RESULT(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)); }
long cl_timerfd_set(int fd, int64_t nanoseconds) {
    struct itimerspec time = {.it_value = {.tv_sec = nanoseconds / 1000000000, .tv_nsec = nanoseconds % 1000000000}};
    RESULT(timerfd_settime(fd, 0, &time, NULL));
}
long cl_signalfd(uint64_t mask) { RESULT(syscall(SYS_signalfd4, -1, &mask, sizeof mask, O_CLOEXEC | O_NONBLOCK)); }
long cl_poll(int fd, short events, int timeout_milliseconds) {
    struct pollfd one = {.fd = fd, .events = events};
    int count = poll(&one, 1, timeout_milliseconds);
    return count < 0 ? -errno : one.revents;
}
long cl_poll_two(int first, int second) {
    struct pollfd both[2] = {{.fd = first, .events = POLLIN}, {.fd = second, .events = POLLIN}};
    if (poll(both, 2, -1) < 0)
        return -errno;
    return (both[0].revents ? 1 : 0) | (both[1].revents ? 2 : 0);
}
long cl_inotify(void) { RESULT(inotify_init1(IN_CLOEXEC | IN_NONBLOCK)); }
long cl_inotify_add(int fd, const char *path, uint32_t mask) { RESULT(inotify_add_watch(fd, path, mask)); }

#define _GNU_SOURCE
#include "filesystem.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>

long cl_fsetxattr(int fd, const char *name, const void *value, size_t size) {
    return fsetxattr(fd, name, value, size, 0) == 0 ? 0 : -errno;
}

long cl_fgetxattr(int fd, const char *name, void *value, size_t size) {
    ssize_t length = fgetxattr(fd, name, value, size);
    return length >= 0 ? length : -errno;
}

long cl_flistxattr(int fd, char *names, size_t size) {
    ssize_t length = flistxattr(fd, names, size);
    return length >= 0 ? length : -errno;
}

long cl_set_times(int directory, const char *path, int64_t accessed_seconds, int64_t accessed_nanoseconds,
                  int64_t modified_seconds, int64_t modified_nanoseconds) {
    struct timespec times[2] = {
        {.tv_sec = accessed_seconds, .tv_nsec = accessed_nanoseconds},
        {.tv_sec = modified_seconds, .tv_nsec = modified_nanoseconds},
    };
    int flags = AT_SYMLINK_NOFOLLOW | (path[0] == 0 ? AT_EMPTY_PATH : 0);
    return utimensat(directory, path, times, flags) == 0 ? 0 : -errno;
}

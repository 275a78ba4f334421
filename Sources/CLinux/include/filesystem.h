// Extended attributes and time stamps, for trees that are unpacked or copied. All return -errno on failure.
#pragma once
#include <stddef.h>
#include <stdint.h>

long cl_fsetxattr(int fd, const char *name, const void *value, size_t size);
long cl_fgetxattr(int fd, const char *name, void *value, size_t size);
long cl_flistxattr(int fd, char *names, size_t size);
// Access and modification time; a symlink is not followed, the empty path is the descriptor itself.
long cl_set_times(int directory, const char *path, int64_t accessed_seconds, int64_t accessed_nanoseconds,
                  int64_t modified_seconds, int64_t modified_nanoseconds);

#pragma once
#include <stdint.h>

// mount(2) and the calls of the new mount interface: one system call each; a negative result is -errno.

long cl_mount(const char *source, const char *target, const char *type, unsigned long flags, const char *data);
long cl_umount(const char *target, int flags);
long cl_fsopen(const char *type);
// fsconfig(2) with FSCONFIG_SET_FLAG (value NULL) or FSCONFIG_SET_STRING.
long cl_fsconfig_set(int fd, const char *key, const char *value);
long cl_fsconfig_set_fd(int fd, const char *key, int value);
// FSCONFIG_CMD_CREATE
long cl_fsconfig_create(int fd);
long cl_fsmount(int fd, uint64_t attributes);
// open_tree(2) with OPEN_TREE_CLONE | AT_EMPTY_PATH and, if asked, AT_RECURSIVE.
long cl_clone_tree(int fd, const char *path, int recursive);
// move_mount(2) from a descriptor onto a descriptor.
long cl_move_mount(int fd, int target);
// mount_setattr(2) on a descriptor; `propagation` is 0 or one of MS_PRIVATE, MS_SLAVE, MS_SHARED.
long cl_mount_setattr(int fd, int recursive, uint64_t set, uint64_t clear, uint64_t propagation, int userns);
long cl_pivot_root(const char *root, const char *old);

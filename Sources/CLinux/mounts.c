#include "constants.h"
#include "mounts.h"

#include <sys/syscall.h>

#define RESULT(call)                                                                                                   \
    do {                                                                                                               \
        long result_ = (long)(call);                                                                                   \
        return result_ < 0 ? -errno : result_;                                                                         \
    } while (0)

long cl_mount(const char *source, const char *target, const char *type, unsigned long flags, const char *data) {
    RESULT(mount(source, target, type, flags, data));
}
long cl_umount(const char *target, int flags) { RESULT(umount2(target, flags)); }
long cl_fsopen(const char *type) { RESULT(syscall(SYS_fsopen, type, FSOPEN_CLOEXEC)); }

long cl_fsconfig_set(int fd, const char *key, const char *value) {
    RESULT(syscall(SYS_fsconfig, fd, value == NULL ? FSCONFIG_SET_FLAG : FSCONFIG_SET_STRING, key, value, 0));
}
long cl_fsconfig_set_fd(int fd, const char *key, int value) {
    RESULT(syscall(SYS_fsconfig, fd, FSCONFIG_SET_FD, key, NULL, value));
}
long cl_fsconfig_create(int fd) { RESULT(syscall(SYS_fsconfig, fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0)); }
long cl_fsmount(int fd, uint64_t attributes) { RESULT(syscall(SYS_fsmount, fd, FSMOUNT_CLOEXEC, attributes)); }

long cl_clone_tree(int fd, const char *path, int recursive) {
    unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0);
    RESULT(syscall(SYS_open_tree, fd, path, flags));
}
long cl_move_mount(int fd, int target) {
    RESULT(syscall(SYS_move_mount, fd, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH));
}
long cl_mount_setattr(int fd, int recursive, uint64_t set, uint64_t clear, uint64_t propagation, int userns) {
    struct mount_attr attributes = {
        .attr_set = set, .attr_clr = clear, .propagation = propagation, .userns_fd = (uint64_t)userns};
    unsigned flags = AT_EMPTY_PATH | (recursive ? AT_RECURSIVE : 0);
    RESULT(syscall(SYS_mount_setattr, fd, "", flags, &attributes, sizeof attributes));
}
long cl_pivot_root(const char *root, const char *old) { RESULT(syscall(SYS_pivot_root, root, old)); }

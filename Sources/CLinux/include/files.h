#pragma once
#include <stddef.h>
#include <stdint.h>

// Each function is one system call; a negative result is -errno.

struct cl_status {
    uint64_t device, inode, links, special_device, size, blocks;
    int64_t modified_seconds, modified_nanoseconds;
    uint32_t mode, uid, gid;
};

long cl_open(int directory, const char *path, int flags, uint32_t mode);
long cl_openat2(int directory, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve);
long cl_close(int fd);
long cl_read(int fd, void *buffer, size_t count);
long cl_write(int fd, const void *buffer, size_t count);
long cl_pread(int fd, void *buffer, size_t count, int64_t offset);
long cl_lseek(int fd, int64_t offset, int whence);
long cl_ftruncate(int fd, int64_t size);
long cl_fsync(int fd);
long cl_fcntl(int fd, int command, long argument);
long cl_pipe(int fds[2], int flags);
long cl_dup3(int fd, int target, int flags);
long cl_close_range(unsigned first, unsigned last, unsigned flags);
// fcntl(2) with F_DUPFD_CLOEXEC.
long cl_duplicate(int fd, int least);
// flock(2) with LOCK_EX | LOCK_NB.
long cl_lock(int fd);

// fstatat(2) with AT_SYMLINK_NOFOLLOW; the empty path is the descriptor itself.
long cl_status(int directory, const char *path, struct cl_status *status);
// faccessat2(2) with F_OK, as the effective user: whether a path leads to anything, links followed.
long cl_lookup(const char *path);
// f_type of fstatfs(2).
long cl_filesystem_magic(int fd, uint64_t *magic);
struct cl_space {
    uint64_t bytes, free_bytes, inodes, free_inodes;
};
// Sizes of fstatfs(2), in bytes.
long cl_filesystem_space(int fd, struct cl_space *space);

long cl_mkdirat(int directory, const char *path, uint32_t mode);
long cl_unlinkat(int directory, const char *path, int flags);
long cl_renameat2(int from, const char *path, int to, const char *target, unsigned flags);
long cl_symlinkat(const char *text, int directory, const char *path);
long cl_linkat(int from, const char *path, int to, const char *target, int flags);
long cl_readlinkat(int directory, const char *path, char *buffer, size_t size);
long cl_mknodat(int directory, const char *path, uint32_t mode, uint32_t major, uint32_t minor);
// fchownat(2) with AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH.
long cl_fchownat(int directory, const char *path, uint32_t uid, uint32_t gid);
long cl_fchmod(int fd, uint32_t mode);
long cl_fchmodat(int directory, const char *path, uint32_t mode);
long cl_fchdir(int fd);
long cl_chdir(const char *path);
// The length of the path with its NUL.
long cl_getcwd(char *buffer, size_t size);
// Records of struct linux_dirent64.
long cl_getdents(int fd, void *buffer, size_t size);

long cl_memfd_create(const char *name, unsigned flags);

uint32_t cl_major(uint64_t device);
uint32_t cl_minor(uint64_t device);

// Private anonymous memory; NULL when there is none.
void *cl_map(size_t size);
void cl_unmap(void *memory, size_t size);
// madvise(MADV_DONTNEED)
long cl_forget_pages(void *memory, size_t size);
// malloc_trim(3)
void cl_trim_heap(void);

int64_t cl_clock_nanoseconds(int clock);

// Names of errno.h; NULL for an unknown number.
const char *cl_errno_name(int number);
const char *cl_errno_text(int number);

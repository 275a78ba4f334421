#include "constants.h"
#include "files.h"

#include <malloc.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <time.h>

#define RESULT(call)                                                                                                   \
    do {                                                                                                               \
        long result_ = (long)(call);                                                                                   \
        return result_ < 0 ? -errno : result_;                                                                         \
    } while (0)

const int cl_o_path = O_PATH;
const int cl_o_directory = O_DIRECTORY;
const int cl_o_nofollow = O_NOFOLLOW;
const int cl_f_setpipe_sz = F_SETPIPE_SZ;

long cl_open(int directory, const char *path, int flags, uint32_t mode) { RESULT(openat(directory, path, flags, mode)); }

long cl_openat2(int directory, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve) {
    struct open_how how = {.flags = flags, .mode = mode, .resolve = resolve};
    RESULT(syscall(SYS_openat2, directory, path, &how, sizeof how));
}

long cl_close(int fd) { RESULT(close(fd)); }
long cl_read(int fd, void *buffer, size_t count) { RESULT(read(fd, buffer, count)); }
long cl_write(int fd, const void *buffer, size_t count) { RESULT(write(fd, buffer, count)); }
long cl_pread(int fd, void *buffer, size_t count, int64_t offset) { RESULT(pread(fd, buffer, count, offset)); }
long cl_lseek(int fd, int64_t offset, int whence) { RESULT(lseek(fd, offset, whence)); }
long cl_ftruncate(int fd, int64_t size) { RESULT(ftruncate(fd, size)); }
long cl_fsync(int fd) { RESULT(fsync(fd)); }
long cl_fcntl(int fd, int command, long argument) { RESULT(fcntl(fd, command, argument)); }
long cl_pipe(int fds[2], int flags) { RESULT(pipe2(fds, flags)); }
long cl_dup3(int fd, int target, int flags) { RESULT(dup3(fd, target, flags)); }
long cl_close_range(unsigned first, unsigned last, unsigned flags) {
    RESULT(syscall(SYS_close_range, first, last, flags));
}
long cl_duplicate(int fd, int least) { RESULT(fcntl(fd, F_DUPFD_CLOEXEC, least)); }
long cl_lock(int fd) { RESULT(flock(fd, LOCK_EX | LOCK_NB)); }

long cl_status(int directory, const char *path, struct cl_status *status) {
    struct stat found;
    if (fstatat(directory, path, &found, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH) < 0)
        return -errno;
    *status = (struct cl_status){
        .device = found.st_dev,
        .inode = found.st_ino,
        .links = found.st_nlink,
        .special_device = found.st_rdev,
        .size = (uint64_t)found.st_size,
        .blocks = (uint64_t)found.st_blocks,
        .modified_seconds = found.st_mtim.tv_sec,
        .modified_nanoseconds = found.st_mtim.tv_nsec,
        .mode = found.st_mode,
        .uid = found.st_uid,
        .gid = found.st_gid,
    };
    return 0;
}

long cl_lookup(const char *path) { RESULT(faccessat(AT_FDCWD, path, F_OK, AT_EACCESS)); }

long cl_filesystem_magic(int fd, uint64_t *magic) {
    struct statfs found;
    if (fstatfs(fd, &found) < 0)
        return -errno;
    *magic = (uint32_t)found.f_type;
    return 0;
}

long cl_filesystem_space(int fd, struct cl_space *space) {
    struct statfs found;
    if (fstatfs(fd, &found) < 0)
        return -errno;
    // The unit of the block counts is the fragment, where a file system has one.
    uint64_t unit = (uint64_t)(found.f_frsize > 0 ? found.f_frsize : found.f_bsize);
    space->bytes = (uint64_t)found.f_blocks * unit;
    space->free_bytes = (uint64_t)found.f_bfree * unit;
    space->inodes = (uint64_t)found.f_files;
    space->free_inodes = (uint64_t)found.f_ffree;
    return 0;
}

long cl_mkdirat(int directory, const char *path, uint32_t mode) { RESULT(mkdirat(directory, path, mode)); }
long cl_unlinkat(int directory, const char *path, int flags) { RESULT(unlinkat(directory, path, flags)); }
long cl_renameat2(int from, const char *path, int to, const char *target, unsigned flags) {
    RESULT(renameat2(from, path, to, target, flags));
}
long cl_symlinkat(const char *text, int directory, const char *path) { RESULT(symlinkat(text, directory, path)); }
long cl_linkat(int from, const char *path, int to, const char *target, int flags) {
    RESULT(linkat(from, path, to, target, flags));
}
long cl_readlinkat(int directory, const char *path, char *buffer, size_t size) {
    RESULT(readlinkat(directory, path, buffer, size));
}
long cl_mknodat(int directory, const char *path, uint32_t mode, uint32_t major_, uint32_t minor_) {
    RESULT(mknodat(directory, path, mode, makedev(major_, minor_)));
}
long cl_fchownat(int directory, const char *path, uint32_t uid, uint32_t gid) {
    RESULT(fchownat(directory, path, uid, gid, AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH));
}
long cl_fchmod(int fd, uint32_t mode) { RESULT(fchmod(fd, mode)); }
long cl_fchmodat(int directory, const char *path, uint32_t mode) { RESULT(fchmodat(directory, path, mode, 0)); }
long cl_fchdir(int fd) { RESULT(fchdir(fd)); }
long cl_chdir(const char *path) { RESULT(chdir(path)); }
long cl_getcwd(char *buffer, size_t size) { RESULT(syscall(SYS_getcwd, buffer, size)); }
long cl_getdents(int fd, void *buffer, size_t size) { RESULT(syscall(SYS_getdents64, fd, buffer, size)); }
long cl_memfd_create(const char *name, unsigned flags) { RESULT(memfd_create(name, flags)); }

uint32_t cl_major(uint64_t device) { return major(device); }
uint32_t cl_minor(uint64_t device) { return minor(device); }

void *cl_map(size_t size) {
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}
void cl_unmap(void *memory, size_t size) { munmap(memory, size); }
long cl_forget_pages(void *memory, size_t size) { RESULT(madvise(memory, size, MADV_DONTNEED)); }
void cl_trim_heap(void) { malloc_trim(0); }

int64_t cl_clock_nanoseconds(int clock) {
    struct timespec now;
    if (clock_gettime(clock, &now) < 0)
        return 0;
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

const char *cl_errno_name(int number) { return strerrorname_np(number); }
const char *cl_errno_text(int number) { return strerrordesc_np(number); }

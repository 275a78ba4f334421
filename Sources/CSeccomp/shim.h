#include <seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

/// memfd_create(2) with MFD_CLOEXEC; Swift's view of glibc does not have it.
static inline int swiftlet_memory_file(const char *name) { return (int)syscall(SYS_memfd_create, name, 1u); }

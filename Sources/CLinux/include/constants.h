#pragma once
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <linux/openat2.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

// Constants that the headers show only with _GNU_SOURCE, which comes too late for Swift's importer, or that differ by machine.
extern const int cl_o_path;
extern const int cl_o_directory;
extern const int cl_o_nofollow;
extern const int cl_f_setpipe_sz;

#pragma once
#include <stdint.h>

// Whether the other end of a TCP connection is there; a negative result is -errno.

// SO_KEEPALIVE and its times in seconds, TCP_KEEPIDLE, TCP_KEEPINTVL and TCP_KEEPCNT.
long cl_tcp_keep_alive(int fd, int idle, int interval, int count);

// The other end, where it is a socket of this network namespace too.
struct cl_tcp_peer {
    // TCP_ESTABLISHED and so on.
    uint8_t state;
    // 0: no process has it open any more.
    uint32_t inode;
};

// sock_diag(7), SOCK_DIAG_BY_FAMILY, of the socket whose addresses are those of `fd` the other way round. ENOENT: it is elsewhere, or
// gone for good.
long cl_find_tcp_peer(int fd, struct cl_tcp_peer *peer);

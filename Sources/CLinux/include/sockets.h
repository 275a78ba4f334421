#pragma once
#include <stddef.h>
#include <stdint.h>

// Unix sockets of sequenced packets, and the few network calls of a pod; a negative result is -errno.

// Most descriptors in one message.
enum { cl_descriptors_max = 16 };

// socketpair(2), SOCK_SEQPACKET.
long cl_socketpair(int fds[2], int flags);
// socket(2), AF_UNIX, SOCK_SEQPACKET; `flags` may hold SOCK_NONBLOCK.
long cl_unix_socket(int nonblocking);
long cl_unix_bind(int fd, const char *path);
long cl_unix_connect(int fd, const char *path);
long cl_listen(int fd, int backlog);
// accept4(2), close-on-exec and non-blocking.
long cl_accept(int fd);
// SO_PEERCRED
long cl_peer(int fd, int *pid, uint32_t *uid, uint32_t *gid);
// sendmsg(2) of one packet with MSG_NOSIGNAL.
long cl_send_packet(int fd, const void *bytes, size_t count, const int *fds, unsigned fd_count);
// Length of the next packet: recv(2) with MSG_PEEK | MSG_TRUNC. A closed peer gives 0.
long cl_next_packet_length(int fd);
// recvmsg(2) with MSG_CMSG_CLOEXEC; descriptors go to fds[0...]. A cut packet gives -EMSGSIZE, and its descriptors are closed.
long cl_receive_packet(int fd, void *bytes, size_t count, int fds[cl_descriptors_max], unsigned *fd_count);

// socket(2), AF_UNIX, SOCK_DGRAM.
long cl_datagram_socket(void);
// sendto(2) of one datagram, without waiting. An abstract name (unix(7)) begins with a NUL; -ENAMETOOLONG: over 108 bytes.
long cl_send_datagram(int fd, const void *name, size_t length, const void *bytes, size_t count);

// Sets IFF_UP on "lo" of the caller's network namespace.
long cl_loopback_up(void);
// A non-blocking TCP socket, AF_INET or AF_INET6.
long cl_tcp_socket(int ipv6);
// connect(2) to 127.0.0.1 or ::1.
long cl_connect_loopback(int fd, int ipv6, uint16_t port);
// SO_ERROR of a socket, which is cleared by it: 0, or -errno of what was under way.
long cl_socket_error(int fd);

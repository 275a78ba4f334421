#pragma once
#include <stdint.h>
#include <termios.h>

// Pseudo-terminals (pty(7), ioctl_tty(2)); a negative result is -errno.

// TIOCSPTLCK 0
long cl_pty_unlock(int master);
// TIOCGPTPEER: the other end, found without a path (CVE-2025-52565).
long cl_pty_peer(int master);
long cl_tty_set_size(int fd, uint16_t rows, uint16_t columns);
long cl_tty_size(int fd, uint16_t *rows, uint16_t *columns);
// TIOCSCTTY
long cl_tty_control(int fd);

// tcgetattr, and tcsetattr with TCSANOW
long cl_tty_mode(int fd, struct termios *mode);
long cl_tty_set_mode(int fd, const struct termios *mode);
// cfmakeraw
void cl_tty_make_raw(struct termios *mode);

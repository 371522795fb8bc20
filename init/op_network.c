/* The container's network devices: the brain's way to them, without the brain being there, and lo. */
#include <linux/netlink.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hands.h"

/* A socket stays in the namespace in which it was opened, whoever has it; and the kernel asks for the privilege of who
 * opened it as well as of who writes to it (netlink_capable()). */
int do_network_socket(struct hands *h) {
    int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (fd < 0)
        return fail(h, "socket", "NETLINK_ROUTE");
    int sent = report_network_socket(h, fd);
    int result = sent == 0 ? 0 : fail(h, "sendmsg", "the network socket");
    close(fd);
    return result;
}

/* The kernel gives lo its addresses with that. */
int do_loopback(struct hands *h) {
    struct ifreq lo = {.ifr_name = "lo", .ifr_flags = IFF_UP};
    /* Any family will do (netdevice(7)), and this one is there where IP is not. */
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return fail(h, "socket", "AF_UNIX");
    int result = ioctl(fd, SIOCSIFFLAGS, &lo) == 0 ? 0 : fail(h, "ioctl", "SIOCSIFFLAGS lo");
    close(fd);
    return result;
}

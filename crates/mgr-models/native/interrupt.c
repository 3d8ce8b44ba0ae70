/* The first Ctrl-C, or request of the system to end, sets a flag; the second one ends the process. */

#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>

static volatile unsigned char *flag;

static void pressed(int number) {
    /* Some systems put the default back after each signal. */
    signal(number, pressed);
    if (*flag) {
        _Exit(130);
    }
    *flag = 1;
}

/* The flag, a byte, must live as long as the process. */
bool mgr_on_interrupt(unsigned char *where) {
    flag = where;
    return signal(SIGINT, pressed) != SIG_ERR && signal(SIGTERM, pressed) != SIG_ERR;
}

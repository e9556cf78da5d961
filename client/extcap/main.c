#include "extcap.h"

#include <stdarg.h>
#include <stdio.h>

int say(int status, const char *format, ...)
{
    va_list arguments;

    fputs(PROGRAM ": ", stderr);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    putc('\n', stderr);
    return status;
}

static int print_version(void)
{
    puts(PROGRAM " " NB_VERSION);
    return EXIT_DONE;
}

static int answer(const struct options *options)
{
    if (options->help) {
        options_help();
        return EXIT_DONE;
    }
    if (options->version)
        return print_version();
    if (options->capture)
        return capture(options);
    if (options->lists)
        return print_interfaces();
    if (options->dlts)
        return print_dlts();
    if (options->config)
        return print_config(options);
    if (options->filter)
        return print_filter_problem(options);
    return say(EXIT_USAGE, "Wireshark and tshark start this program, which lists the interfaces "
                           "that you may capture through netbrokerd; see netbroker-extcap(1). "
                           "'netbroker capture' captures without them.");
}

int main(int argc, char **argv)
{
    struct options options;
    int status = options_read(&options, argc, argv);

    return status == EXIT_DONE ? answer(&options) : status;
}

/* The recording that `sv publish` publishes. */
#include "publish.h"
#include "recorded.h"

static int say(const struct command_line *line, const struct recorded_fault *fault)
{
    switch (fault->what) {
    case RECORDED_PATH:
        publish_wrong(line, "comtrade", "%s.", fault->text);
        return EXIT_USAGE;
    case RECORDED_CHANNELS:
        publish_wrong(line, "channels", "%s.", fault->text);
        return EXIT_USAGE;
    case RECORDED_NO_MEMORY:
        return explain_no_memory(line);
    case RECORDED_FILE:
        break;
    }
    report(line,
           &(struct fault){
               .code = "file", .file = fault->file[0] ? fault->file : NULL, .line = fault->line},
           "%s.", fault->text);
    return EXIT_REFUSED;
}

int sv_comtrade(const struct command_line *line, const char *path, const struct sv_layout *layout,
                struct recording *ret)
{
    const struct recorded_words words = {"--comtrade", "--channels", layout};
    struct recorded_fault fault;

    return recorded_read(path, sv_channel_list(line), &words, ret, &fault) ? EXIT_DONE
                                                                           : say(line, &fault);
}

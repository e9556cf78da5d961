/* The recording that `sv publish` publishes. */
#include "recording_files.h"
#include "sv_publish.h"

static int say(const struct command_line *line, const struct recording_fault *fault)
{
    switch (fault->what) {
    case RECORDING_WRONG_PATH:
        publish_wrong(line, "comtrade", "%s.", fault->text);
        return EXIT_USAGE;
    case RECORDING_WRONG_CHANNELS:
        publish_wrong(line, "channels", "%s.", fault->text);
        return EXIT_USAGE;
    case RECORDING_NO_MEMORY:
        return explain_no_memory(line);
    case RECORDING_WRONG_FILE:
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
    const struct recording_words words = {"--comtrade", "--channels", layout};
    struct recording_fault fault;

    return recording_files_read(path, sv_channel_list(line), &words, ret, &fault)
               ? EXIT_DONE
               : say(line, &fault);
}

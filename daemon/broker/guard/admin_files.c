#include "admin_files.h"

#include "admin_file.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool read_opened(const struct admin_files *files, FILE *file, const char *path)
{
    bool done = files->read(files->context, file, path);

    fclose(file);
    return done;
}

static bool read_file(const struct admin_files *files, const char *path, bool required)
{
    char why[ADMIN_FILE_WHY_MAX];
    FILE *file = admin_file_open(path, files->administrator, why);

    if (file)
        return read_opened(files, file, path);
    if (errno == ENOENT && !required)
        return true;
    mistakes_add(files->mistakes, "the %s file %s is not used: %s.", files->what, path, why);
    return false;
}

static int is_drop_in(const struct dirent *entry)
{
    return entry->d_name[0] != '.' && fnmatch("*.conf", entry->d_name, 0) == 0;
}

/* Who may write the folder may take a file out of it. */
static const char *judge_folder(const struct admin_files *files, const struct stat *status)
{
    return S_ISDIR(status->st_mode) ? admin_file_judge(status, files->administrator)
                                    : "it is not a folder";
}

static bool read_drop_ins(const struct admin_files *files, const char *folder,
                          struct dirent **names, int count)
{
    bool done = true;

    for (int i = 0; i < count; i++) {
        char path[PATH_MAX + 512];

        snprintf(path, sizeof path, "%s/%s", folder, names[i]->d_name);
        done &= read_file(files, path, false);
        free(names[i]);
    }
    free(names);
    return done;
}

/* #syscalls broker: open openat close lstat getdents64 */
static bool read_folder(const struct admin_files *files, const char *folder)
{
    struct dirent **names = NULL;
    char place[ADMIN_FILE_WHY_MAX];
    struct stat status;
    int result = lstat(folder, &status), count = -1;
    const char *why = result < 0 ? strerror(errno) : judge_folder(files, &status);

    if (result < 0 && errno == ENOENT)
        return true;
    if (!why && !admin_file_place_is_safe(folder, files->administrator, place))
        why = place;
    if (!why) {
        count = scandir(folder, &names, is_drop_in, alphasort);
        why = admin_file_explain(errno);
    }
    if (count >= 0)
        return read_drop_ins(files, folder, names, count);
    mistakes_add(files->mistakes, "the folder %s is not used: %s.", folder, why);
    return false;
}

static void drop_in_folder(const char *path, char *folder, size_t size)
{
    size_t length = strlen(path);

    if (length > 5 && strcmp(path + length - 5, ".conf") == 0)
        length -= 5;
    snprintf(folder, size, "%.*s.d", (int)length, path);
}

bool admin_files_read(const struct admin_files *files)
{
    char folder[PATH_MAX + 8];
    bool done;

    drop_in_folder(files->path, folder, sizeof folder);
    done = read_file(files, files->path, files->required);
    done &= read_folder(files, folder);
    return done;
}

# Makes Debian's changelog of docs/CHANGELOG.md, whose headings are `## VERSION (YYYY-MM-DD)` and
# whose changes are items. -v maintainer='NAME <ADDRESS>'
function finish(command, date) {
    if (version == "")
        return
    command = "LC_ALL=C date --utc --rfc-email --date=" day
    command | getline date
    close(command)
    printf "\n -- %s  %s\n", maintainer, date
}

/^## / {
    finish()
    if (version != "")
        print ""
    version = $2
    day = substr($3, 2, 10)
    printf "netbroker (%s) unstable; urgency=medium\n\n", version
    next
}
version != "" && /^- / { print "  * " substr($0, 3) }
version != "" && /^  / { print "  " $0 }
END { finish() }

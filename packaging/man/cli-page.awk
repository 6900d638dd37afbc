# SPDX-License-Identifier: GPL-3.0-or-later
# Turns the help texts that cli-page.sh collects into a man page. Options that at least three commands share with the same words
# stand once, under their group; each command then lists its own. Tables of words (ranges, schemes, ...) stand once at the end.

function roff(text) {
    gsub(/\\/, "\\e", text)
    gsub(/-/, "\\-", text)
    gsub("\xcc\x82", "^", text) # a combining hat, which man drops inside a line
    if (text ~ /^[.']/)
        text = "\\&" text
    return text
}

# "  --name TYPE   words", the words in column 31; where the name is longer they follow on the next line.
function keep_option(line,    id) {
    line = substr(line, 3)
    if (substr(line, 28, 1) == " ") {
        name = substr(line, 1, 27)
        words = substr(line, 29)
    } else {
        name = line
        words = ""
    }
    sub(/ +$/, "", name)
    sub(/^ +/, "", words)
    id = ++options
    option_name[id] = name
    option_words[id] = words
    option_group[id] = group
    option_command[id] = command
    last = id
}

function print_option(id) {
    print ".TP"
    print "\\fB" roff(option_name[id]) "\\fR"
    print roff(option_words[id])
}

$1 == "@version" { version = $2; next }
$1 == "@main" { next }
$1 == "@command" {
    command = $2
    order[++commands] = command
    group = ""
    lines = 0
    next
}
/^Usage: / { usage[command] = substr($0, 8); next }
/^[A-Z].*:$/ {
    group = substr($0, 1, length($0) - 1)
    if (!(group in group_seen)) {
        group_seen[group] = command
        groups[++group_count] = group
    }
    table = 0
    next
}
!group && NF && !(command in about) { about[command] = $0; next }
/^  -/ || (group == "Positionals" && /^  [A-Z]/) { keep_option($0); next }
/^  [a-z]/ && group_seen[group] == command { # a table of words
    is_table[group] = 1
    rows[group] = rows[group] ".TP\n\\fB" roff(substr($0, 3)) "\\fR\n"
    next
}
/^      / {
    sub(/^ +/, "")
    if (is_table[group]) {
        if (group_seen[group] == command)
            rows[group] = rows[group] roff($0) "\n.br\n"
    } else if (last)
        option_words[last] = option_words[last] (option_words[last] == "" ? "" : " ") $0
}

END {
    for (id = 1; id <= options; ++id)
        ++uses[option_group[id] SUBSEP option_name[id] SUBSEP option_words[id]]
    print ".\\\" Made by cli-page.sh"
    print ".TH QUANTOSCOPE-CLI 1 \"\" \"quantoscope " version "\" \"User Commands\""
    print ".SH NAME\nquantoscope\\-cli \\- post\\-training quantization of ONNX models"
    print ".SH SYNOPSIS\n.B quantoscope\\-cli\n.I COMMAND\n[\\fIOPTIONS\\fR] [\\fIMODEL.onnx\\fR]"
    print ".SH DESCRIPTION"
    print "Quantizes a trained network without retraining it and measures, on labelled images, what that costs: word\\-lengths of weights"
    print "and activations, clipping ranges and corrections, layer by layer. It does without a window what"
    print ".BR quantoscope (1)\ndoes with one."
    print "Tables go to standard output, progress and messages to standard error."
    print ".SH COMMANDS"
    for (c = 1; c <= commands; ++c) {
        command = order[c]
        print ".SS " roff(usage[command])
        print roff(about[command]) "."
        for (id = 1; id <= options; ++id)
            if (option_command[id] == command && uses[option_group[id] SUBSEP option_name[id] SUBSEP option_words[id]] < 3)
                print_option(id)
    }
    print ".SH OPTIONS OF SEVERAL COMMANDS"
    for (g = 1; g <= group_count; ++g) {
        started = 0
        for (id = 1; id <= options; ++id) {
            key = option_group[id] SUBSEP option_name[id] SUBSEP option_words[id]
            if (option_group[id] != groups[g] || uses[key] < 3 || key in printed)
                continue
            if (!started++)
                print ".SS " roff(groups[g])
            printed[key] = 1
            print_option(id)
        }
    }
    for (g = 1; g <= group_count; ++g)
        if (is_table[groups[g]])
            print ".SH " toupper(roff(groups[g])) "\n" rows[groups[g]]
    print ".SH EXIT STATUS"
    print ".TP\n.B 0\nDone.\n.TP\n.B 1\nThe work failed; one line \\(lqerror: WHAT: WHERE: WHAT TO DO\\(rq tells why."
    print ".TP\n.B 2\nWrong usage.\n.TP\n.B 130\nCancelled; what was finished is kept."
    print ".SH ENVIRONMENT"
    print ".TP\n.B QUANTOSCOPE_NO_CACHE\nSet: calibration statistics are collected anew and not kept."
    print ".SH EXAMPLE"
    print ".nf\nquantoscope\\-cli sweep model.onnx \\-\\-data images/ \\-\\-weight\\-bits 2..8 \\-\\-activation\\-bits 2..8 \\-\\-chart accuracy.svg\n.fi"
    print ".SH SEE ALSO\n.BR quantoscope (1)"
}

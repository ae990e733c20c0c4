#!/bin/sh
# Puts the firewall in this folder in place, by egressc. The same text for every policy: what differs stands in
# rules.v4, rules.v6, sets.ipset and dnsmasq.conf beside it, which are checked line by line before anything is done.
#
# In this order: check the files and this machine; load everything into a network namespace of its own; only then the
# sets, the rules, one jump from each built-in chain, and the lines of dnsmasq; compare the result with what the
# namespace held. If anything fails on the way, what was there before is put back.
set -eu
LC_ALL=C
PATH="$PATH:/usr/sbin:/sbin"
export LC_ALL PATH

usage() {
    cat <<'TEXT'
usage: sh apply.sh [OPTION]...

  --dry-run                    check, and load into a network namespace of its own; change nothing
  --remove                     take rules, sets and resolver lines of this chain away again
  --cut-sessions               also end tracked connections to addresses that a rule no longer knows (needs conntrack)
  --backend nft|legacy         use iptables-nft or iptables-legacy; else what `iptables` is
  --dnsmasq-dir DIR            where dnsmasq reads its configuration (default /etc/dnsmasq.d)
  --dnsmasq-pid FILE           where dnsmasq writes its process id, if it is no service of systemd
  --dnsmasq-restart PROGRAM    restart dnsmasq by running PROGRAM
  --no-dnsmasq                 leave dnsmasq alone: install dnsmasq.conf yourself, and restart it
  --state-dir DIR              where to remember what was applied (default /var/lib/egressc)
  --help                       this text

exit status: 0 done; 1 it did not work, and everything is as it was before (--remove: run it again); 2 usage
TEXT
}

say() { printf 'apply.sh: %s\n' "$*"; }
warn() { printf 'apply.sh: warning: %s\n' "$*" >&2; }
die() {
    printf 'apply.sh: %s\n' "$*" >&2
    exit 1
}

action=apply
backend=default
cut=no
with_resolver=yes
resolver_dir=/etc/dnsmasq.d
resolver_pid_file=
restart_program=
state_root=/var/lib/egressc
inner=
changing=no

while [ $# -gt 0 ]; do
    case $1 in
        --dry-run) action=check ;;
        --remove) action=remove ;;
        --cut-sessions) cut=yes ;;
        --no-dnsmasq) with_resolver=no ;;
        --help)
            usage
            exit 0
            ;;
        --backend | --dnsmasq-dir | --dnsmasq-pid | --dnsmasq-restart | --state-dir | --in-namespace)
            [ $# -ge 2 ] || {
                usage >&2
                exit 2
            }
            case $1 in
                --backend) backend=$2 ;;
                --dnsmasq-dir) resolver_dir=$2 ;;
                --dnsmasq-pid) resolver_pid_file=$2 ;;
                --dnsmasq-restart) restart_program=$2 ;;
                --state-dir) state_root=$2 ;;
                --in-namespace) inner=$2 ;;
            esac
            shift
            ;;
        *)
            usage >&2
            exit 2
            ;;
    esac
    shift
done
case $backend in
    default | nft | legacy) ;;
    *)
        usage >&2
        exit 2
        ;;
esac

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
self=$here/$(basename -- "$0")
rules4=$here/rules.v4
rules6=$here/rules.v6
sets=$here/sets.ipset
lines=$here/dnsmasq.conf

# ---- the programs -------------------------------------------------------------------------------------------------

# tool FAMILY SUFFIX [ARGUMENT]...: iptables or ip6tables, -save or -restore, of the backend in use
tool() {
    case $1 in
        4) tool_name=iptables ;;
        *) tool_name=ip6tables ;;
    esac
    [ "$backend" = default ] || tool_name=$tool_name-$backend
    tool_name=$tool_name$2
    shift 2
    "$tool_name" "$@"
}

have() { command -v "$1" >/dev/null 2>&1; }

# facts NAME: the values of one kind that the rules state about themselves
facts() { sed -n "s/^#: $1 //p" "$rules4"; }

check_tools() {
    [ "$(id -u)" = 0 ] || die "this needs root"
    for tool_part in '' -restore -save; do
        for tool_family in 4 6; do
            tool "$tool_family" "$tool_part" --version >/dev/null 2>&1 || die "iptables$tool_part ($backend) does not run for IPv$tool_family"
        done
    done
    for program in ipset unshare awk sed grep cmp sort mktemp flock; do
        have "$program" || die "\`$program\` is not here"
    done
    [ "$cut" = no ] || have conntrack || die "\`conntrack\` is not here: --cut-sessions needs it"
}

# ---- the files ----------------------------------------------------------------------------------------------------

# only FILE EXPRESSION: the file holds nothing but remarks and lines of that form, and ends with a whole line
only() {
    [ -r "$1" ] || die "$1 is missing"
    [ -z "$(tail -c 1 "$1")" ] || die "$1 does not end with a whole line"
    if grep -aEvn -e '^#' -e "^($2)\$" "$1" | head -n 1 | grep -a . >&2; then
        die "$1 holds a line that is none of egressc (above)"
    fi
}

check_files() {
    [ -f "$rules4" ] || die "$rules4 is missing"
    [ "$(facts format)" = 1 ] || die "$rules4 is of another version than this script"
    chain=$(facts chain)
    printf '%s\n' "$chain" | grep -Eqx '[A-Z0-9][A-Z0-9-]{0,27}' || die "$rules4 names no chain"
    hooks=$(facts hook)
    printf '%s\n' "$hooks" | grep -Eqvx '(filter (OUTPUT|FORWARD))|(nat (OUTPUT|PREROUTING))' && die "$rules4 names no built-in chain"
    for file in "$rules4" "$rules6"; do
        only "$file" "\\*(nat|filter)|:$chain - \\[0:0\\]|-A $chain .*|COMMIT"
        grep -qx "\\*filter" "$file" || die "$file has no table filter"
    done
    set_name='eg[bcnsx]_[a-z0-9]{1,24}_[46]'
    family='family (inet|inet6)'
    only "$sets" "create $set_name (hash:ip $family timeout [0-9]+|hash:net $family maxelem [0-9]+)|add $set_name [0-9a-f.:]+(/[0-9]+)?"
    name='[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?'
    only "$lines" "max-cache-ttl=[0-9]+|no-resolv|server=[0-9a-f.:]+|ipset=(/$name(\\.$name)*)/$set_name(,$set_name)*"
    facts foreign >"$work/foreign"
}

# The accounts that the rules are for must be here. Where no hierarchy of control groups is mounted (inside
# `ip netns exec`), loading the rules will tell.
check_accounts() {
    cgroup_root=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
    facts user >"$work/users"
    while IFS= read -r user; do
        id -u -- "$user" >/dev/null 2>&1 || die "there is no user \`$user\` here, and the rules are for that account"
    done <"$work/users"
    facts cgroup >"$work/cgroups"
    while IFS= read -r cgroup; do
        [ -z "$cgroup_root" ] || [ -d "$cgroup_root/$cgroup" ] || die "there is no control group \`$cgroup\` here, and the rules are for that account"
    done <"$work/cgroups"
}

check_foreign() {
    ipset list -n >"$work/names"
    while IFS=' ' read -r foreign_name _; do
        grep -Fqx -e "$foreign_name" "$work/names" || die "there is no ipset \`$foreign_name\` here, which the rules use"
    done <"$work/foreign"
}

# The other backend must not hold the same chain: both would decide.
check_other_backend() {
    for other in nft legacy; do
        have "iptables-$other-save" || continue
        [ "$other" != "$backend" ] || continue
        case $(tool 4 '' --version) in
            *nf_tables*) [ "$other" != nft ] || continue ;;
            *) [ "$other" != legacy ] || continue ;;
        esac
        for other_tool in iptables ip6tables; do
            if "$other_tool-$other-save" 2>/dev/null | grep -q "^:$chain "; then
                die "$other_tool-$other also has a chain $chain: first run apply.sh --backend $other --remove"
            fi
        done
    done
}

# Sets are named after the rules of the policy, so another chain of egressc may use one of the same name.
check_other_chains() {
    ipset save >"$work/sets.now"
    plan "$sets" <"$work/sets.now" >"$work/sets.todo"
    sed -n 's/^swap [^ ]* //p' "$work/sets.todo" >"$work/changed"
    for other in "$state_root"/*/sets.ipset; do
        [ -f "$other" ] || continue
        [ "$other" != "$state/sets.ipset" ] || continue
        other_chain=$(basename -- "$(dirname -- "$other")")
        warn "the chain $other_chain is also one of egressc: whichever is asked first decides"
        names "$other" >"$work/names"
        if grep -Fx -f "$work/changed" "$work/names" >&2; then
            die "the chain $other_chain uses a set (above) that holds something else there: remove that chain first"
        fi
    done
}

# ---- rules --------------------------------------------------------------------------------------------------------

# own: our chain out of what iptables-save prints, each line with its table, without counters. iptables-legacy prints the
# tables in the order in which somebody first used them, so it may be another here than in a namespace of our own.
own() {
    awk -v chain="$chain" '
        function keep(text) { held[table, ++count[table]] = table " " text }
        /^\*/ { table = substr($0, 2); next }
        $1 == ":" chain { keep($1); next }
        $1 == "-A" && $2 == chain { keep($0) }
        END {
            for (i = 1; i <= count["filter"]; i++) print held["filter", i]
            for (i = 1; i <= count["nat"]; i++) print held["nat", i]
        }
    '
}

# jumps TABLE HOOK: how many jumps to our chain the built-in chain holds, out of what iptables-save prints
jumps() {
    awk -v table="*$1" -v line="-A $2 -j $chain" '
        /^\*/ { inside = $0 == table }
        inside && $0 == line { n++ }
        END { print n + 0 }
    '
}

# set_jump FAMILY TABLE HOOK NUMBER: bring the jumps to that number, 0 or 1
set_jump() {
    jump_count=$(tool "$1" -save | jumps "$2" "$3")
    while [ "$jump_count" -gt "$4" ]; do
        tool "$1" '' -w -t "$2" -D "$3" -j "$chain"
        jump_count=$((jump_count - 1))
    done
    [ "$jump_count" -ge "$4" ] || tool "$1" '' -w -t "$2" -I "$3" 1 -j "$chain"
}

all_hooks='filter OUTPUT
filter FORWARD
nat OUTPUT
nat PREROUTING'

# set_jumps FAMILY: one jump where the rules want one, none elsewhere
set_jumps() {
    printf '%s\n' "$all_hooks" | while IFS=' ' read -r hook_table hook_chain; do
        if printf '%s\n' "$hooks" | grep -Fqx "$hook_table $hook_chain"; then
            set_jump "$1" "$hook_table" "$hook_chain" 1
        else
            set_jump "$1" "$hook_table" "$hook_chain" 0
        fi
    done
}

# drop_chain FAMILY TABLE: remove our chain, to which nothing jumps any more
drop_chain() {
    if tool "$1" -save | own | grep -q "^$2 :"; then
        tool "$1" '' -w -t "$2" -F "$chain"
        tool "$1" '' -w -t "$2" -X "$chain"
    fi
}

# drop_table FAMILY TABLE: a table that only we have used; iptables-legacy has no way to be rid of one
drop_table() {
    have nft || return 0
    ! tool "$1" -save -t "$2" | grep -Eq -e '^-A ' -e '^:[^ ]+ (-|DROP) ' || return 0
    case $(tool "$1" '' --version) in
        *nf_tables*) ;;
        *) return 0 ;;
    esac
    case $1 in
        4) nft delete table ip "$2" 2>/dev/null || true ;;
        *) nft delete table ip6 "$2" 2>/dev/null || true ;;
    esac
}

# load_rules FAMILY: our chain anew (each table at once), then the jumps, then what an earlier version had in nat
load_rules() {
    case $1 in
        4) tool 4 -restore -w --noflush <"$rules4" ;;
        *) tool 6 -restore -w --noflush <"$rules6" ;;
    esac
    set_jumps "$1"
    printf '%s\n' "$hooks" | grep -q '^nat ' || drop_chain "$1" nat
}

# restore_rules FAMILY: our chain and the jumps as they were before
restore_rules() {
    own <"$work/before.v$1" >"$work/chains"
    for old_table in filter nat; do
        grep -q "^$old_table :" "$work/chains" || continue
        {
            printf '*%s\n:%s - [0:0]\n' "$old_table" "$chain"
            sed -n "s/^$old_table \\(-A .*\\)\$/\\1/p" "$work/chains"
            printf 'COMMIT\n'
        } | tool "$1" -restore -w --noflush
    done
    printf '%s\n' "$all_hooks" | while IFS=' ' read -r old_table old_chain; do
        set_jump "$1" "$old_table" "$old_chain" "$(jumps "$old_table" "$old_chain" <"$work/before.v$1")"
    done
    for old_table in filter nat; do
        grep -q "^$old_table :" "$work/chains" || drop_chain "$1" "$old_table"
        grep -Fqx "*$old_table" "$work/before.v$1" || drop_table "$1" "$old_table"
    done
}

# ---- sets ---------------------------------------------------------------------------------------------------------

# plan WANTED: commands for ipset restore that turn the sets that are here (standard input, as `ipset save` prints them)
# into those of the file. Learned addresses stay; a set with fixed content is filled beside its place and swapped.
plan() {
    awk '
        here {
            if ($1 == "create") { rest = $0; sub(/^create [^ ]+ /, "", rest); is[$2] = rest }
            if ($1 == "add") { member[$2, $3] = 1; members[$2]++ }
            next
        }
        $1 == "create" { rest = $0; sub(/^create [^ ]+ /, "", rest); order[++n] = $2; want[$2] = rest }
        $1 == "add" { m = ++count[$2]; entry[$2, m] = $3; line[$2, m] = $0; if (!(($2, $3) in member)) lacks[$2] = 1 }
        END {
            for (i = 1; i <= n; i++) {
                name = order[i]
                split(want[name], form, " ")
                if (name in is) {
                    split(is[name], known, " ")
                    if (known[1] != form[1] || known[3] != form[3]) {
                        print "the set " name " is of another type: " is[name] > "/dev/stderr"
                        exit 1
                    }
                    if (form[1] == "hash:ip") {
                        for (m = 1; m <= count[name]; m++) if (!((name, entry[name, m]) in member)) print line[name, m]
                        continue
                    }
                    if (!lacks[name] && members[name] == count[name]) continue
                    new = "egt" substr(name, 4)
                } else new = name
                print "create " new " " want[name]
                for (m = 1; m <= count[name]; m++) { text = line[name, m]; sub(/^add [^ ]+/, "add " new, text); print text }
                if (new != name) { print "swap " new " " name; print "destroy " new }
            }
        }
    ' here=1 - here=0 "$1"
}

# names FILE: the sets that a file creates
names() { sed -n 's/^create \([^ ]*\) .*/\1/p' "$1"; }

# load_sets WANTED
load_sets() {
    ipset save >"$work/sets.now"
    plan "$1" <"$work/sets.now" >"$work/sets.todo"
    ipset restore <"$work/sets.todo"
}

# drop_set NAME: remove a set. The kernel may need a moment to let go of it after the last rule that asked for it.
drop_set() {
    for pause in 0.1 0.2 0.5; do
        ! ipset destroy "$1" 2>/dev/null || return 0
        sleep "$pause"
    done
    ipset destroy "$1"
}

# drop_sets FILE: remove the sets whose names stand in the file, if they are here and nothing uses them
drop_sets() {
    ipset list -n >"$work/names"
    grep -Fx -f "$1" "$work/names" | while IFS= read -r old_set; do
        drop_set "$old_set" || warn "the set $old_set stays: something uses it"
    done
}

# drop_unfinished: remove what was being filled when a run was cut short
drop_unfinished() {
    ipset list -n >"$work/names"
    sed -n '/^egt_/p' "$work/names" | while IFS= read -r left_over; do
        drop_set "$left_over"
    done
}

# ---- the resolver -------------------------------------------------------------------------------------------------

# lost OLD NEW: the sets that some name fed by the first configuration and does not by the second. dnsmasq takes the
# longest domain that fits, so it is enough to ask at each domain that either of them names.
lost() {
    awk -F / '
        function found(table, domain,    at) {
            while (domain != "") {
                if (domain in table) return table[domain]
                at = index(domain, ".")
                domain = at ? substr(domain, at + 1) : ""
            }
            return ""
        }
        $1 == "ipset=" { if (before) old[$2] = $3; else new[$2] = $3; domains[$2] = 1 }
        END {
            for (domain in domains) {
                now = "," found(new, domain) ","
                n = split(found(old, domain), was, ",")
                for (i = 1; i <= n; i++) if (index(now, "," was[i] ",") == 0 && was[i] !~ /^egc_void_/) gone[was[i]] = 1
            }
            for (name in gone) print name
        }
    ' before=1 "$1" before=0 "$2" | sort
}

# in_this_network PID: the process is a dnsmasq of this network namespace
in_this_network() {
    case $1 in '' | 0 | *[!0-9]*) return 1 ;; esac
    [ "$(cat "/proc/$1/comm" 2>/dev/null)" = dnsmasq ] || return 1
    [ "$(readlink "/proc/$1/ns/net" 2>/dev/null)" = "$(readlink /proc/self/ns/net)" ]
}

# is_running PID: the process has not ended (one that has may still wait to be collected: state Z)
is_running() {
    run_state=$(sed 's/.*) //; s/ .*//' "/proc/$1/stat" 2>/dev/null) || return 1
    [ -n "$run_state" ] && [ "$run_state" != Z ] && [ "$run_state" != X ]
}

# resolver_pid: prints the process id of the dnsmasq that runs here, from its pid file
resolver_pid() {
    for pid_file in "$resolver_pid_file" /run/dnsmasq/dnsmasq.pid /run/dnsmasq.pid /var/run/dnsmasq.pid; do
        [ -r "$pid_file" ] || continue
        pid=$(head -n 1 "$pid_file")
        if in_this_network "$pid"; then
            printf '%s\n' "$pid"
            return 0
        fi
    done
    return 1
}

# restart_resolver: a signal would not do, dnsmasq reads `ipset=` lines when it starts. An empty cache comes with it.
restart_resolver() {
    if [ -n "$restart_program" ]; then
        say "restarting dnsmasq: $restart_program"
        "$restart_program" 9>&-
        return
    fi
    if have systemctl; then
        main_pid=$(systemctl show -p MainPID --value dnsmasq.service 2>/dev/null || true)
        if in_this_network "$main_pid"; then
            say "restarting dnsmasq: systemctl restart dnsmasq.service"
            systemctl restart dnsmasq.service
            return
        fi
    fi
    if running=$(resolver_pid); then
        cp "/proc/$running/cmdline" "$work/resolver"
        if tr '\0' '\n' <"$work/resolver" | grep -Eqx -e '-k|-d|--keep-in-foreground|--no-daemon'; then
            warn "dnsmasq (process $running) runs in the foreground of something: say how to restart it, --dnsmasq-restart"
            return 1
        fi
        say "restarting dnsmasq: process $running"
        kill "$running"
        waited=0
        while is_running "$running"; do
            [ "$waited" -lt 100 ] || return 1
            waited=$((waited + 1))
            sleep 0.1
        done
    fi
    if [ -f "$work/resolver" ]; then
        xargs -0 env -- <"$work/resolver" 9>&-
        return
    fi
    warn "no dnsmasq runs here: start it, until then no name is allowed"
}

installed() { printf '%s/egressc-%s.conf' "$resolver_dir" "$chain"; }

# put_lines FILE: make the file dnsmasq's, or with an empty name take ours away
put_lines() {
    if [ -n "$1" ]; then
        cp "$1" "$resolver_dir/.egressc-$chain.new"
        chmod 644 "$resolver_dir/.egressc-$chain.new"
        mv -f "$resolver_dir/.egressc-$chain.new" "$(installed)"
    else
        rm -f "$(installed)"
    fi
}

# Without names there is nothing for dnsmasq to do: then our file is taken away, if an earlier version put it there.
has_lines() { grep -q '^[a-z]' "$lines"; }

lines_in_place() {
    if has_lines; then
        cmp -s "$lines" "$(installed)"
    else
        [ ! -f "$(installed)" ]
    fi
}

check_resolver() {
    has_lines || [ -f "$(installed)" ] || with_resolver=no
    [ "$with_resolver" = yes ] || return 0
    [ -d "$resolver_dir" ] || die "there is no folder $resolver_dir: name the one that dnsmasq reads, --dnsmasq-dir"
    for other_lines in "$resolver_dir"/egressc-*.conf; do
        [ "$other_lines" = "$(installed)" ] || [ ! -e "$other_lines" ] ||
            die "$other_lines is of another firewall, and dnsmasq takes one line for each domain: remove that one first"
    done
    for other_lines in "$resolver_dir"/*; do
        [ "$other_lines" != "$(installed)" ] || continue
        ! grep -Eqs '^[[:space:]]*(ip|nft)set[[:space:]]*=' "$other_lines" ||
            warn "$other_lines also feeds sets: dnsmasq takes one line for each name, the longest domain"
    done
    if have dnsmasq; then
        dnsmasq --test --conf-file="$lines" >"$work/dnsmasq" 2>&1 || die "dnsmasq refuses dnsmasq.conf: $(cat "$work/dnsmasq")"
    fi
}

# ---- the whole ----------------------------------------------------------------------------------------------------

# Load everything into this network namespace, which nothing uses, and print what iptables made of it.
load_here() {
    ipset restore <"$sets"
    while IFS=' ' read -r foreign_name foreign_family; do
        ipset create "$foreign_name" hash:net family "$foreign_family"
    done <"$work/foreign"
    for family in 4 6; do
        load_rules "$family"
        tool "$family" -save | own >"$inner/expected.v$family"
    done
}

snapshot() {
    for family in 4 6; do
        tool "$family" -save >"$work/before.v$family"
    done
    ipset save >"$work/sets.now"
    sed -n -E '/^(create|add) eg[bcnsx]_/p' "$work/sets.now" >"$work/before.sets"
    rm -f "$work/before.conf" "$work/known.conf"
    [ ! -f "$state/dnsmasq.conf" ] || cp "$state/dnsmasq.conf" "$work/known.conf"
    if [ "$with_resolver" = yes ] && [ -f "$(installed)" ]; then
        cp "$(installed)" "$work/before.conf"
        cp "$(installed)" "$work/known.conf"
    fi
}

# differences: what is not as the files say, one a line; nothing if all is well
differences() {
    for family in 4 6; do
        tool "$family" -save >"$work/now"
        own <"$work/now" | cmp -s - "$work/expected.v$family" || echo "the rules of IPv$family"
        printf '%s\n' "$hooks" | while IFS=' ' read -r hook_table hook_chain; do
            [ "$(jumps "$hook_table" "$hook_chain" <"$work/now")" = 1 ] || echo "the jump from $hook_chain, table $hook_table, IPv$family"
        done
    done
    ipset save >"$work/sets.now"
    plan "$sets" <"$work/sets.now" >"$work/sets.todo" || echo "the type of a set"
    [ ! -s "$work/sets.todo" ] || echo "the sets"
    if [ "$with_resolver" = yes ]; then
        lines_in_place || echo "the lines of dnsmasq"
    fi
}

# is_as_before FAMILY: our chain and its jumps are what they were
is_as_before() {
    tool "$1" -save >"$work/now"
    for when in now "before.v$1"; do
        own <"$work/$when"
        printf '%s\n' "$all_hooks" | while IFS=' ' read -r hook_table hook_chain; do
            jumps "$hook_table" "$hook_chain" <"$work/$when"
        done
        echo "end"
    done | awk '$0 == "end" { n++; next } !n { now = now "\n" $0 } n { was = was "\n" $0 } END { exit now != was }'
}

# roll_back: what fails here must not stop the rest of it, so errors are looked for at the end of each step.
roll_back() {
    warn "putting back what was there before"
    for family in 4 6; do
        restore_rules "$family"
        is_as_before "$family" || warn "the rules of IPv$family could not be put back"
    done
    drop_unfinished
    load_sets "$work/before.sets" || warn "the sets could not be put back"
    names "$sets" | sort >"$work/ours"
    names "$work/before.sets" | sort >"$work/theirs"
    grep -Fvx -f "$work/theirs" "$work/ours" >"$work/new" || true
    [ ! -s "$work/new" ] || drop_sets "$work/new"
    rm -rf -- "$new_state"
    if [ "$changing" = resolver ]; then
        if [ -f "$work/before.conf" ]; then
            put_lines "$work/before.conf"
        else
            put_lines ''
        fi
        restart_resolver || warn "dnsmasq could not be restarted with what it had before"
    fi
}

finish() {
    status=$?
    trap - EXIT
    trap '' INT TERM HUP
    set +e
    if [ "$changing" != no ]; then
        roll_back
    fi
    [ "$status" = 0 ] || status=1
    rm -rf -- "$work"
    exit "$status"
}

apply_sets_and_rules() {
    drop_unfinished
    load_sets "$sets"
    for family in 4 6; do
        load_rules "$family"
    done
}

# Names that the sets must forget, and the addresses of connections that go with them.
forget() {
    : >"$work/lost"
    if [ -f "$work/known.conf" ]; then
        lost "$work/known.conf" "$lines" >"$work/lost"
    else
        names "$work/before.sets" | grep -E '^eg[bc]_' | { grep -v '^egc_internal_' || true; } >"$work/lost"
    fi
    names "$sets" | sort >"$work/ours"
    grep -Fx -f "$work/ours" "$work/lost" | sed 's/^/flush /' >"$work/flush" || true
    # What the old sets held and the new ones do not.
    {
        cat "$work/before.sets"
        echo "end"
        cat "$sets"
    } | awk -v lost="$work/lost" '
        BEGIN { while ((getline name < lost) > 0) gone[name] = 1 }
        $1 == "end" { second = 1 }
        !second && $1 == "add" { old[$2 " " $3] = 1 }
        second && $1 == "create" { kept[$2] = $3 }
        second && $1 == "add" { delete old[$2 " " $3] }
        END {
            for (key in old) {
                split(key, part, " ")
                if (part[1] in gone || !(part[1] in kept) || kept[part[1]] == "hash:net") print part[2]
            }
        }
    ' | sort -u >"$work/cut"
}

update_resolver() {
    created=$(grep -c '^create .* hash:ip ' "$work/sets.done" || true)
    if [ "$with_resolver" = yes ]; then
        if lines_in_place && [ "$created" = 0 ] && [ ! -s "$work/flush" ]; then
            return 0
        fi
        changing=resolver
        if has_lines; then
            put_lines "$lines"
        else
            put_lines ''
        fi
        restart_resolver
    elif [ "$created" != 0 ]; then
        say "install dnsmasq.conf yourself and restart dnsmasq: until then no name is in the new sets"
    fi
    [ -s "$work/flush" ] || return 0
    # Only now: the resolver that ran before could have put a lost name back. Answers that it has given since then are in
    # its cache and would feed no set, so it starts once more.
    say "names were taken out of rules, so these sets forget what they learned: $(sed 's/^flush //' "$work/flush" | tr '\n' ' ')"
    ipset restore <"$work/flush"
    if [ "$with_resolver" = yes ]; then
        restart_resolver
    else
        warn "restart dnsmasq with the new dnsmasq.conf: until then names are refused that it has in its cache"
    fi
}

cut_sessions() {
    [ "$cut" = yes ] || return 0
    while IFS= read -r address; do
        conntrack -D -d "$address" >/dev/null 2>&1 || true
    done <"$work/cut"
    say "ended tracked connections to $(wc -l <"$work/cut" | tr -d ' ') addresses or networks"
}

# remember: what is applied, beside the place of what was applied before
remember() {
    rm -rf -- "$new_state"
    mkdir -m 700 "$new_state"
    for file in "$rules4" "$rules6" "$sets" "$lines"; do
        cp "$file" "$new_state/"
    done
}

# remove_old_sets: sets of what was applied before that no rule asks for any more
remove_old_sets() {
    [ -f "$state/sets.ipset" ] || return 0
    names "$sets" | sort >"$work/ours"
    names "$state/sets.ipset" | sort >"$work/theirs"
    grep -Fvx -f "$work/ours" "$work/theirs" >"$work/old" || true
    [ ! -s "$work/old" ] || drop_sets "$work/old"
}

apply() {
    snapshot
    changing=yes
    apply_sets_and_rules
    cp "$work/sets.todo" "$work/sets.done"
    forget
    update_resolver
    wrong=$(differences)
    [ -z "$wrong" ] || die "not as it should be: $wrong"
    remember
    # It is done: what is left is tidying up, and not to be cut short.
    trap '' INT TERM HUP
    changing=no
    cut_sessions
    remove_old_sets
    rm -rf -- "$state"
    mv "$new_state" "$state"
    check_tops
    say "done: $(grep -c '^-A' "$rules4") rules for IPv4, $(grep -c '^-A' "$rules6") for IPv6, $(names "$sets" | wc -l | tr -d ' ') sets"
}

# Foreign rules above the jump decide first.
check_tops() {
    for family in 4 6; do
        printf '%s\n' "$hooks" | while IFS=' ' read -r hook_table hook_chain; do
            first=$(tool "$family" '' -w -t "$hook_table" -S "$hook_chain" | sed -n 2p)
            [ "$first" = "-A $hook_chain -j $chain" ] ||
                warn "other rules stand before the jump to $chain (table $hook_table, IPv$family)"
        done
    done
}

check() {
    snapshot
    plan "$sets" <"$work/sets.now" >"$work/sets.todo"
    cp "$work/sets.todo" "$work/sets.done"
    forget
    wrong=$(differences)
    [ -n "$wrong" ] || {
        say "nothing to do: everything is in place"
        return 0
    }
    say "would change: $(printf '%s\n' "$wrong" | tr '\n' ';')"
    [ ! -s "$work/flush" ] || say "would empty, because names were taken out of rules: $(sed 's/^flush //' "$work/flush" | tr '\n' ' ')"
}

remove() {
    for family in 4 6; do
        hooks=
        set_jumps "$family"
        for old_table in filter nat; do
            drop_chain "$family" "$old_table"
        done
    done
    {
        names "$sets"
        [ ! -f "$state/sets.ipset" ] || names "$state/sets.ipset"
    } | sort -u >"$work/old"
    [ ! -s "$work/old" ] || drop_sets "$work/old"
    if [ "$with_resolver" = yes ] && [ -f "$(installed)" ]; then
        put_lines ''
        restart_resolver || warn "dnsmasq could not be restarted: it still has the lines"
    fi
    rm -rf -- "$state"
    say "removed"
}

if [ -n "$inner" ]; then
    work=$inner
    [ "$(readlink /proc/self/ns/net)" != "$(cat "$work/outside")" ] || die "this is no network namespace of its own"
    check_files
    load_here
    exit 0
fi

work=$(mktemp -d "${TMPDIR:-/tmp}/egressc.XXXXXX")
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP
check_tools
check_files
state=$state_root/$chain
new_state=$state_root/.$chain.new
if [ "$action" != check ]; then
    mkdir -p "$state_root"
    exec 9>"$state_root/lock"
    flock -n 9 || die "another apply.sh is at work"
fi
if [ "$action" = remove ]; then
    remove
    exit 0
fi
check_accounts
check_foreign
check_other_backend
check_other_chains
check_resolver
readlink /proc/self/ns/net >"$work/outside"
unshare -n -- /bin/sh "$self" --in-namespace "$work" --backend "$backend" >"$work/namespace" 2>&1 ||
    die "the firewall does not load (tried in a network namespace of its own, nothing was changed): $(cat "$work/namespace")"
if [ "$action" = check ]; then
    check
else
    apply
fi

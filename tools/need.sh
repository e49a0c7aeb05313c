# SPDX-License-Identifier: MIT
# need.sh - the Debian packages duplex needs, and the one place that looks whether they are there. Sourced by
# run and test, which call `need run` and `need run test`. Says nothing and leaves apt alone when all is there.
# A name may be followed by :RELEASE, the only Debian release that has it.

need_run='gcc libc6-dev meson ninja-build pkgconf nettle-dev libgnutls28-dev
    ca-certificates libqrencode-dev libjansson-dev libpcre2-dev zlib1g-dev libbrotli-dev libzstd-dev'
need_test='clang libclang-rt-dev clang-format-14:12 make python3 python3-websockets netcat-openbsd socat tmux curl
    chromium chromium-driver mono-mcs mono-runtime strace libuv1-dev binutils util-linux procps openssl
    gnutls-bin nginx-light nodejs node-ws zbar-tools libssl-dev mandoc zsh iproute2 bsdextrautils'

# need_list run|test...: the names, one a line, that this Debian release has
need_list()
{
    need_release=$(. /etc/os-release 2>/dev/null && echo "${VERSION_ID:-}")
    for need_kind; do
        eval "need_names=\$need_$need_kind"
        for need_name in $need_names; do
            case $need_name in
            *:"$need_release") echo "${need_name%:*}" ;;
            *:*) ;;
            *) echo "$need_name" ;;
            esac
        done
    done
}

# need_missing NAME...: those that are not installed
need_missing()
{
    need_there=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null | sed -n 's/^installed //p')
    for need_name; do
        case "
$need_there
" in
        *"
$need_name
"*) ;;
        *) printf '%s ' "$need_name" ;;
        esac
    done
}

# need run|test...: installs what is missing. Ends the script where it cannot.
need()
{
    if ! command -v dpkg-query >/dev/null; then
        echo "This is no Debian, so nothing is installed here; duplex needs what Debian calls:" $(need_list "$@") >&2
        return
    fi
    need_more=$(need_missing $(need_list "$@"))
    [ -n "$need_more" ] || return 0

    need_sudo=
    if [ "$(id -u)" != 0 ]; then
        need_sudo=sudo
        if ! command -v sudo >/dev/null; then
            echo "duplex needs some Debian packages and there is no sudo here. As root:" >&2
            echo "  apt-get install --no-install-recommends $need_more" >&2
            exit 1
        fi
    fi
    echo "duplex needs these Debian packages: $need_more" >&2
    if [ -t 0 ] && [ -t 2 ]; then
        printf 'Install them now? [Y/n] ' >&2
        read -r need_answer || need_answer=n
        case $need_answer in
        '' | [Yy]*) ;;
        *) exit 1 ;;
        esac
    fi
    # Words of apt's go to stderr: stdout belongs to the command that follows.
    $need_sudo env DEBIAN_FRONTEND=noninteractive apt-get -qq update >&2
    $need_sudo env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends $need_more >&2 || {
        echo "apt-get could not install them; the reason stands above." >&2
        exit 1
    }
}

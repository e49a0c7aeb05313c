/* SPDX-License-Identifier: MIT
 * table.c - the commands, their options and the URLs they take: the only place where they are listed. */
#include "tool/options.h"
#include "tool/tool.h"

/* clang-format off */
const struct command command_table[] = {
    {"dial", "[OPTION]... URL", "talk to a URL over stdin and stdout",
     "duplex dial tcp://127.0.0.1:2000                # talk to a server; Ctrl-D, exit or an empty line ends\n"
     "duplex dial unix:///tmp/x.sock <question >answer  # exact bytes both ways, to the peer's end\n"
     "echo hi | duplex dial --once udp://127.0.0.1:53   # one datagram out, one back\n"
     "duplex dial --encoding gb18030 tcp://10.0.0.9:4001  # a GB18030 device, UTF-8 here; --frame line: whole lines\n"
     "duplex dial --hex --checksum crc16-modbus --send 010300000002 --every 100ms tcp://10.0.0.9:502  # poll a device\n"
     "duplex dial tcp://10.0.0.9:4001 --send 'AT\\r\\n' --wait-for OK --within 2s  # 0: it came; 119: it did not\n"
     "duplex dial tls://10.0.0.9:2333 --pin sha256:...    # TLS, by the pin that serve --tls shows\n"
     "duplex dial https://a.example/in <question >answer  # a POST: its body out, the response's body in",
     "The end of stdin is said to the peer (half-close), and what still comes is printed until the peer's end.\n"
     "Messages: on ws a pipe's bytes go as binary messages as they are read, on a terminal each line is a text\n"
     "message; on udp and unixgram each line, its end kept, is a datagram. --frame says otherwise. These wires have no\n"
     "half-close: after the end of stdin a second of silence ends the talk; --idle-ends 10s waits longer for a slow answer.\n"
     "http and https are one POST: stdin is its body (a file by its length, a pipe in chunks as it comes, </dev/null an\n"
     "empty one; on a terminal Ctrl-D ends it), stdout the body of the response. A status of 400 and up ends with code 22,\n"
     "-v shows status and fields.\n"
     "ws, wss, http and https go through the proxy that the environment names (duplex help fetch), any stream through --proxy.\n"
     "--hex and --checksum are about messages: each line of stdin is one, or what --frame cuts; its end is taken off, and\n"
     "--eol puts one on. On a byte stream 20 ms of silence ends a checked message, unless --frame says otherwise. A wrong\n"
     "checksum is shown, and 119 at the end.\n"
     "On a terminal what comes stands above the line being typed; /hex and /text show the last 256 KiB of it in the other\n"
     "view, /help says the rest, and //x says /x. With --exit-word '' every line goes, an empty one too. What was typed is\n"
     "kept in $XDG_STATE_HOME/duplex/history, but for lines that begin with a blank. TERM=dumb: plain lines.",
     1, 1, cmd_dial},
    {"listen", "[OPTION]... URL...", "answer who dials: echo, upper case, a file of rules, or a talk over stdin and stdout",
     "duplex listen tcp://127.0.0.1:2000 --echo       # every byte goes back to who sent it\n"
     "duplex listen tcp://:0 udp://:0 --upper          # upper case; the word exit ends a talk\n"
     "duplex listen tcp://:5020 --rules device.rules -v  # play a device: match and answer, as docs/rules.md says\n"
     "duplex listen unix:///tmp/x.sock <answer >question  # the first client, joined to stdin and stdout\n"
     "duplex listen any://127.0.0.1:2000               # on a terminal: all clients, numbered; @2 hello to one\n"
     "duplex listen any://:2333 --reply '<h1>hi</h1>' --encoding gb2312  # a page for browsers, bare bytes for programs\n"
     "duplex listen tcp://127.0.0.1:2000 --exec 'sort -u' --max 4  # a process a client\n"
     "duplex listen tls://:4000 --cert a.pem --key a.key --echo  # TLS; --cert auto: a certificate of our own",
     "Says \"listening URL\" on stderr, a line an address, when ready. SIGHUP reads certificates and rules anew.\n"
     "Without a mode (--echo, --upper, --rules, --reply, --exec) the first client is joined to stdin and stdout and the\n"
     "command ends with it. On a terminal it is a console: what clients say is shown behind their number, a line typed goes\n"
     "to all, \"@2 text\" to one, \"@@2\" says @2. /who lists them, /close 2 ends one, /hex and /text show what came in the\n"
     "other view, /help says the rest. Ctrl-D or exit closes all in good order; with --once it ends with its one client.\n"
     "--json, --send and --every are for one client, there too.",
     1, 16, cmd_listen},
    {"serve", "[OPTION]... [DIR]", "one port: a room for browsers, nc, UDP and Unix sockets, and a folder's files",
     "duplex serve                                    # this machine: http://127.0.0.1:2333/ and nc 127.0.0.1 2333\n"
     "duplex serve .                                  # the files of this folder too; the room's page is then at /~\n"
     "duplex serve --lan --access-log - photos        # to the network, and who gets what on stderr\n"
     "duplex serve --lan                              # the network too; who comes must show the key it prints\n"
     "duplex serve --lan --tls                        # encrypted too: https, and a code for a phone's camera\n"
     "duplex serve --listen any://127.0.0.1:0 --nick ada  # any free port; your name in the room\n"
     "duplex serve --json >log.ndjson </dev/null      # without a terminal it logs: here a JSON object a line",
     "On a terminal you are a member of the lobby: type, or /help. Ctrl-D ends. Default: any://127.0.0.1:2333,\n"
     "any://[::1]:2333 (TCP and UDP) and the Unix socket duplex.sock in $XDG_RUNTIME_DIR. $DUPLEX_KEY is the key that\n"
     "members from beyond this machine must show; without it --lan makes one. SIGHUP reads the certificates anew and opens the\n"
     "access log anew.\n"
     "DIR is read, never written, and whoever can reach the port can read it, without the key too. Nothing outside of it is\n"
     "given, whatever a link or a path says; names that begin with a dot are hidden. index.html stands for its folder, ?tar is\n"
     "the folder as a tar, NAME.br, NAME.zst and NAME.gz beside NAME are its compressed form, curl -C - and players get ranges.",
     0, 1, cmd_serve},
    {"relay", "[OPTION]... LISTEN-URL TARGET-URL", "listen on one wire, and join each connection to another",
     "duplex relay tcp://:8080 unix:///run/app.sock     # any wire to any wire, many connections at once\n"
     "duplex relay tls://:4433 tcp://127.0.0.1:80 --cert a.pem --key a.key  # TLS here, none there; or the other way\n"
     "duplex relay ws://:6080 --target vnc=tcp://127.0.0.1:5900  # a browser reaches ws://host:6080/vnc and no more\n"
     "duplex relay udp://:5000 tcp://10.0.0.9:4001 --frame line  # each datagram a line, each line a datagram\n"
     "duplex relay tcp://127.0.0.1:8080 tcp://a.example:80 --tap hex --record a.ndjson  # look, and keep",
     "Says \"listening URL\" on stderr when ready. A target that does not answer ends its client and nothing else. An\n"
     "end passes as an end, a reset as a reset, after all that came before it. Without --frame a stream's bytes are\n"
     "messages as they come, of at most 64 KiB on ws and 1200 on datagrams. --cert and --key are the listener's where\n"
     "that has TLS, else they are shown to the target; the fragment of a URL speaks for itself. On udp off this machine\n"
     "whoever forges a source makes the target's answers go there. SIGHUP reads the certificates anew.",
     1, 2, cmd_relay},
    {"send", "[OPTION]... FILE URL", "send a file to who waits for it with recv, nc or a program of yours",
     "duplex send photo.jpg tcp://10.0.0.9:4000        # there: duplex recv tcp://:4000 photo.jpg\n"
     "duplex send photo.jpg tcp://10.0.0.9:4000        # or there: nc -l 4000 >photo.jpg\n"
     "duplex send --listen photo.jpg tcp://:4000       # who comes gets it: nc 10.0.0.8 4000 >photo.jpg\n"
     "tar c folder | duplex send - tls://10.0.0.9:4000 --pin sha256:...  # - is standard input\n"
     "duplex send photo.jpg wss://a.example/files      # as binary messages of at most 64 KiB",
     "The raw transfer of the socket tutorial: the file's bytes and then the end of the stream, by tcp, unix, tls, ws or\n"
     "wss. Done (0) is when the other side has ended too, which duplex recv does when the file is safe on its disk.\n"
     "Whatever goes wrong here breaks the connection off, so that a part is not taken for the whole; on unix, which has\n"
     "no reset, the other side sees an end all the same: say --size there.",
     2, 2, cmd_send},
    {"recv", "[OPTION]... URL FILE", "save a file that somebody sends with send, nc or a program of yours",
     "duplex recv tcp://:4000 photo.jpg                # there: duplex send photo.jpg tcp://10.0.0.9:4000\n"
     "duplex recv tcp://:4000 photo.jpg                # or there: nc -N 10.0.0.9 4000 <photo.jpg\n"
     "duplex recv --dial tcp://10.0.0.8:4000 photo.jpg  # from who listens: duplex send --listen, nc -l\n"
     "duplex recv tls://:4000 - --cert auto | tar x    # - is standard output\n"
     "duplex recv --size 1048576 tcp://:4000 disk.img  # fewer bytes are an error",
     "Saves what comes until the end of the stream as FILE.part, puts it safely on the disk and then gives it its name,\n"
     "never over a file that is there unless told (--force). One transfer, then it ends. What was broken off or cut\n"
     "short is an error (56, 18) and stays as FILE.part, to be looked at: no transfer goes on where another stopped, the\n"
     "next one begins anew (with --force while the .part is there). A program that is killed on plain tcp or unix ends\n"
     "its stream in order: tls, wss, ws and duplex send tell that from an end, and so does --size.",
     2, 2, cmd_recv},
    {"fetch", "[OPTION]... URL...", "ask for http:// and https:// URLs, and show or save what comes",
     "duplex fetch https://a.example/page.html          # text on a terminal, whatever its coding; exact bytes to a pipe\n"
     "duplex fetch -O https://a.example/photo.jpg       # into photo.jpg; -o FILE: another name; --continue: on where it stopped\n"
     "duplex fetch -i https://a.example/                # status and fields, too; -I: those alone\n"
     "duplex fetch -d '{\"on\":true}' http://10.0.0.9/lamp # a POST; -X PUT, -H 'Name: value'\n"
     "tar c folder | duplex fetch -X PUT --data-file - https://a.example/up --user ada:secret\n"
     "duplex fetch --json https://a.example/ | head -1  # the head as JSON, with how long it took\n"
     "duplex fetch --pin sha256:... https://10.0.0.8:2333/a  # from duplex serve --tls, by the pin it shows",
     "0 is a whole response with a status below 400; else 22, and the body is shown all the same, but goes into no file.\n"
     "Redirects are followed (10), never from https to http, to no other kind of URL, and what is secret stays with the\n"
     "first host; one that cannot be, as its body came by a pipe, is 22 too. Bodies may come compressed. One that is cut\n"
     "short, or grows too much, is an error.\n"
     "FILE is FILE.part until all of it is there and on the disk, and never over a file that is there unless told (--force).\n"
     "--continue believes a FILE.part only where the server says that it is of the same thing, and its end comes once more.\n"
     "http_proxy, https_proxy, all_proxy and no_proxy are read, in small or capital letters, for each redirect anew; this machine\n"
     "is asked directly. A proxy's URL may say whom to believe there: --proxy 'https://HOST:PORT#ca=FILE'.",
     1, OPTIONS_ARGS_MAX, cmd_fetch},
    {"hex", "[OPTION]... [HEX... | FILE | -]", "bytes and hex into one another, dumps and checksums",
     "duplex hex fc2a00010002                         # fc 2a 00 01 00 02: in pairs, as typed\n"
     "duplex hex photo.jpg                            # a dump: offset, hex, text; -: of stdin\n"
     "duplex hex --bytes 0xFC,0x2A >a.bin             # hex into bytes; --from-hex <a.txt from a stream\n"
     "duplex hex --checksum crc16-modbus --append 01 03 00 00 00 02  # a request with its checksum\n"
     "duplex hex --check crc16-modbus 010300000002c40b  # is its end the right checksum? else exit code 119\n"
     "duplex hex --checksum crc32 <a.bin              # crc32  0xcbf43926  26 39 f4 cb: the value, its bytes on the wire\n"
     "duplex hex --text hello                         # 68 65 6c 6c 6f",
     "IN   What reads as hex is hex: digits in pairs, any case, with blanks, line ends, commas, colons and 0x between them.\n"
     "     Any other argument is a file, whose bytes are read (./cafe for a file of that name), and - or none is stdin.\n"
     "     --from-hex: what the file or stdin holds is hex text. An odd digit at the end is kept and shown.\n"
     "OUT  Pairs for what was typed or is hex, its case kept; a dump for bytes. Both pass gigabytes in constant memory.\n"
     "SUM  A name of --list, or an alias of it. Its bytes go on the wire low byte first where a CRC is reflected in and\n"
     "     out, else high byte first; crc16-modbus:be says high first, :le low first. lrc is the sum's negative.",
     0, OPTIONS_ARGS_MAX, cmd_hex},
    {"cert", "[show [FILE] | make NAME... | ca | check FILE|URL] [OPTION]...", "make, show and check TLS certificates",
     "duplex cert                                     # this host's own: names, dates, and the pin for clients\n"
     "duplex cert show a.pem                          # what is in a PEM file; --json an object a line\n"
     "duplex cert make a.example 10.0.0.1             # a.example.pem and a.example.key, never over a file\n"
     "duplex cert ca                                  # a CA that can sign for this host's names alone\n"
     "duplex cert check tls://a.example:443           # would a dial believe it? and if not, why not",
     "This host's own leaf is made when it is first asked for, and made anew within 30 days of its end or when the host\n"
     "has other names; its key stays, so its pin does. It lies with the CA in $XDG_STATE_HOME/duplex or\n"
     "~/.local/state/duplex. No CA is made unless you ask.",
     0, OPTIONS_ARGS_MAX, cmd_cert},
    {"bench", "[OPTION]... URL", "load on a server, and whether and how soon what it answers is right",
     "duplex bench tcp://127.0.0.1:2000               # 50 conns ask an echo server as fast as it answers, for 10 s\n"
     "duplex bench --rate 5000 ws://127.0.0.1:4000    # 5000 messages a second, on time whatever comes back\n"
     "duplex bench -c 1000 --room lobby ws://127.0.0.1:2333  # duplex serve: one member speaks, does it reach all?\n"
     "duplex bench --rate 200 --path /status http://127.0.0.1:8080  # requests, each status checked\n"
     "duplex bench -n 1 --message hex:010300000002c40b --expect any tcp://10.0.0.9:502  # how long does one take?\n"
     "duplex bench --json --live udp://127.0.0.1:5000 >log.ndjson  # an object a second, and the result",
     "The closed loop sends the next message when a reply has come: it shows what the server can do, and hides its stalls, for\n"
     "nobody asks meanwhile. --rate sends on time, and latency counts from the time a message was due: what users feel.\n"
     "Every byte that comes back is compared. Exit code 119: replies were wrong or came unasked for, or more were lost\n"
     "than --loss-max allows. HTTP: a request is a connection of its own, a status of 2xx or 3xx is right. A room's key is\n"
     "$DUPLEX_KEY. Ctrl-C shows what was measured so far. docs/bench.md has the numbers and the JSON.",
     1, 1, cmd_bench},
    {"replay", "[OPTION]... FILE URL", "play a recorded connection again, and compare what comes back",
     "duplex replay a.ndjson tcp://10.0.0.9:4001        # the client's side, with its timing\n"
     "duplex replay a.ndjson tcp://127.0.0.1:0 --server  # the server's side: listens, plays with one client, ends\n"
     "duplex replay --conn 3 --fast a.ndjson unix:///run/app.sock  # the third connection, as fast as answers come",
     "FILE is from duplex relay --record; docs/record.md has its format. What we say waits until all that the other side\n"
     "had said before it has come. The first difference is named, with its line, and the exit code is 119; an answer with a\n"
     "date in it, as most HTTP has, always differs.",
     2, 2, cmd_replay},
    {"help", "[OPTION]... [COMMAND | tls | exit-codes]", "say more about a command, also as a man page",
     "duplex help dial                                # examples first, then the options\n"
     "duplex help tls                                 # certificates, pins and whom to believe, in one page\n"
     "duplex help exit-codes                          # what a failure's number means\n"
     "duplex help --man dial | man -l -               # the man page of duplex dial; without a command that of duplex\n"
     "eval \"$(duplex help --completion bash)\"         # the TAB key completes commands, options and URLs in this shell",
     "make install puts the man pages and the completions of bash and zsh in their places.",
     0, 1, cmd_help},
    {0},
};

const struct opt option_table[] = {
    {"listen", 0, "echo", OPT_FLAG, NULL, "send back what comes"},
    {"listen", 0, "upper", OPT_FLAG, NULL, "send back what comes in ASCII upper case, its line end\nkept; exit is answered EXIT and closes"},
    {"dial listen", 'f', "frame", OPT_TEXT, "SPEC", "bytes into messages: none, line (a message a line, its\nend taken off), gap:20ms, fixed:N, delim:HEX,\nlength:OFFSET,SIZE,be|le,ADJUST: a field of SIZE bytes at\nOFFSET says how many follow it, and ADJUST is added;\nModbus TCP is length:4,2,be,0"},
    {"dial listen", 'e', "encoding", OPT_TEXT, "NAME", "the peer's coding: gb18030, big5 ... or auto; ours is\nUTF-8"},
    {"dial", '1', "once", OPT_FLAG, NULL, "end after the first answer; 119: none came"},
    {"listen", '1', "once", OPT_FLAG, NULL, "serve one client, then end"},
    {"dial listen", 0, "idle-ends", OPT_MS, "TIME", "after the end of stdin, end when nothing came for so\nlong"},
    {"listen relay", 0, "max", OPT_COUNT, "N", "at most so many clients at a time (10000); more wait"},
    {"listen relay", 0, "idle", OPT_MS, "TIME", "close a connection that is silent for so long"},
    {"serve", 'l', "listen", OPT_TEXT, "URL", "listen there instead: any:// tcp:// udp:// unix:// ...;\nmay stand several times"},
    {"serve", 0, "lan", OPT_FLAG, NULL, "listen on this machine's network addresses too, with a key"},
    {"serve", 0, "open", OPT_FLAG, NULL, "let anybody in who can reach it, without a key"},
    {"serve", 0, "nick", OPT_TEXT, "NAME", "your name in the room"},
    {"serve", 0, "host", OPT_TEXT, "NAME", "one more name by which browsers may reach it; may stand\nseveral times"},
    {"serve", 0, "guess", OPT_TEXT, "gb|utf8", "how to read short text that could be either; without it\nby the locale"},
    {"serve", 0, "hidden", OPT_FLAG, NULL, "DIR: names that begin with a dot are there too"},
    {"serve", 0, "no-listing", OPT_FLAG, NULL, "DIR: a folder without index.html is not shown, nor is its tar"},
    {"serve", 0, "no-compression", OPT_FLAG, NULL, "DIR: every file goes as it is"},
    {"serve", 0, "access-log", OPT_TEXT, "FILE", "a line for each HTTP request, as web servers write them\n(combined format); -: stderr"},
    {"serve", 0, "access-log-json", OPT_TEXT, "FILE", "the same as a JSON object a line (docs/access-log.md)"},
    {"serve", 0, "metrics", OPT_FLAG, NULL, "answer /~metrics to Prometheus"},
    {"serve", 'q', "quiet", OPT_FLAG, NULL, "log nothing, but say where it listens"},
    {"serve", 0, "json", OPT_FLAG, NULL, "log each message as a JSON object, as docs/room.md has it"},
    {"dial listen", 'v', "verbose", OPT_FLAG, NULL, "say on stderr what each layer does"},
    {"cert", 'o', "out", OPT_TEXT, "PREFIX", "make: into PREFIX.pem and PREFIX.key (the first name)"},
    {"cert", 0, "days", OPT_COUNT, "N", "make, ca: valid for so many days (90; a CA 365)"},
    {"cert", 0, "client", OPT_FLAG, NULL, "make: for a client that shows it, not for a server"},
    {"cert", 0, "key", OPT_TEXT, "FILE", "make: of this key, so that its pin stays; no new one"},
    {"cert", 0, "ca-cert", OPT_TEXT, "FILE", "make: signed by this CA, not by itself; with --ca-key"},
    {"cert", 0, "ca-key", OPT_TEXT, "FILE", "make: that CA's key"},
    {"cert", 0, "names", OPT_TEXT, "A,B", "ca: sign for these names (all of this host's)"},
    {"cert", 0, "host", OPT_TEXT, "NAME", "check: is the file's certificate for this name?"},
    {"cert", 0, "ca", OPT_TEXT, "FILE", "check: trust these CAs, not the system's"},
    {"cert", 't', "timeout", OPT_MS, "TIME", "check: give up dialling after so long (10s)"},
    {"cert", 0, "json", OPT_FLAG, NULL, "show, make, ca: a JSON object a certificate"},
    {"serve", 0, "tls", OPT_FLAG, NULL, "answer TLS too, on the same port: https, wss, tls"},
    {"hex", 0, "pairs", OPT_FLAG, NULL, "show pairs of digits, in one line"},
    {"hex", 0, "dump", OPT_FLAG, NULL, "show offset, hex and text, 16 bytes a line (hexdump -C)"},
    {"hex", 0, "bytes", OPT_FLAG, NULL, "write the bytes themselves"},
    {"hex", 0, "group", OPT_COUNT, "N", "pairs: so many bytes stand together (1)"},
    {"hex", 0, "sep", OPT_TEXT, "S", "pairs: what stands between them (a blank); may be empty"},
    {"hex", 0, "upper", OPT_FLAG, NULL, "digits in upper case"},
    {"hex", 0, "lower", OPT_FLAG, NULL, "digits in lower case"},
    {"hex", 0, "utf8", OPT_FLAG, NULL, "dump: the text column shows UTF-8 characters"},
    {"hex", 0, "text", OPT_FLAG, NULL, "the arguments are text: their bytes"},
    {"hex", 0, "from-hex", OPT_FLAG, NULL, "the file, or stdin, holds hex text"},
    {"hex", 0, "checksum", OPT_TEXT, "NAME", "say the checksum of the bytes; may stand several times"},
    {"hex", 0, "append", OPT_FLAG, NULL, "show the bytes with that checksum behind them"},
    {"hex", 0, "check", OPT_TEXT, "NAME", "do they end in the right checksum?"},
    {"hex", 0, "list", OPT_FLAG, NULL, "the checksums there are, with their parameters"},
    {"send", 'l', "listen", OPT_FLAG, NULL, "wait for who fetches it; without this, dial"},
    {"recv", 0, "dial", OPT_FLAG, NULL, "fetch it from who listens; without this, wait for who sends"},
    {"recv", 0, "force", OPT_FLAG, NULL, "in place of a file that is there, or of its .part, which is\nnever gone on with"},
    {"recv", 0, "size", OPT_COUNT, "BYTES", "so many must come: fewer are truncated (18), more too big\n(63)"},
    {"send recv", 'v', "verbose", OPT_FLAG, NULL, "say who is at the other end"},
    {"fetch", 'o', "out", OPT_TEXT, "FILE", "into this file, not to standard output"},
    {"fetch", 'O', "save", OPT_FLAG, NULL, "into a file named as the URL's path ends"},
    {"fetch", 0, "continue", OPT_FLAG, NULL, "go on with FILE.part, where there is one"},
    {"fetch", 0, "force", OPT_FLAG, NULL, "in place of a file that is there, or of its .part"},
    {"fetch", 'X', "method", OPT_TEXT, "NAME", "GET, or what else (POST where there is a body)"},
    {"fetch", 'H', "header", OPT_TEXT, "FIELD", "'Name: value', to be sent; may stand several times"},
    {"fetch", 'd', "data", OPT_TEXT, "TEXT", "the body; JSON where it begins with { or [, else as a form"},
    {"fetch", 0, "data-file", OPT_TEXT, "FILE", "the body is in it; -: stdin, a pipe as it comes"},
    {"fetch", 'I', "head", OPT_FLAG, NULL, "ask for status and fields alone (HEAD), and show them"},
    {"fetch", 'i', "include", OPT_FLAG, NULL, "show status and fields before the body"},
    {"fetch", 'v', "verbose", OPT_FLAG, NULL, "say on stderr what each layer does, status and fields"},
    {"send recv fetch", 'q', "quiet", OPT_FLAG, NULL, "say nothing but what goes wrong"},
    {"fetch", 0, "redirects", OPT_COUNT, "N", "follow so many redirects (10)"},
    {"fetch", 0, "no-location", OPT_FLAG, NULL, "follow none"},
    {"dial fetch", 0, "proxy", OPT_TEXT, "URL", "go through [NAME:PASSWORD@]HOST:PORT, whatever the environment\nsays; '': through none. http:// (or nothing) before it, https://,\nsocks5:// (names are looked up here) or socks5h:// (there)"},
    {"fetch", 'u', "user", OPT_TEXT, "NAME:PASSWORD", "log in (Basic)"},
    {"fetch", 0, "bearer", OPT_TEXT, "TOKEN", "show this token"},
    {"fetch", 0, "no-compression", OPT_FLAG, NULL, "ask for no compressed body"},
    {"fetch", 'e', "encoding", OPT_TEXT, "NAME", "show the text of this coding as UTF-8, on a pipe too"},
    {"fetch", 0, "max-size", OPT_COUNT, "BYTES", "give up, with 63, where the body is larger"},
    {"fetch", 0, "within", OPT_MS, "TIME", "give up, with 28, when it is not over in so long"},
    {"send recv fetch", 0, "idle", OPT_MS, "TIME", "give up when nothing moves for so long"},
    {"fetch", 0, "retry", OPT_MAYBE, "[=N]", "try again, at most N times (5), where it is refused, broken\nor answered 408, 429, 502, 503 or 504"},
    {"relay replay", 'f', "frame", OPT_TEXT, "SPEC", "cut a stream that is joined to messages: line, fixed:N,\nlength:OFFSET,SIZE,be|le,ADJUST ..."},
    {"relay", 0, "target", OPT_TEXT, "NAME=URL", "ws://host/NAME leads there, any other path nowhere; may\nstand several times, in place of TARGET-URL"},
    {"relay", '1', "once", OPT_FLAG, NULL, "serve one client, then end; the exit code says how it went"},
    {"relay", 0, "tap", OPT_WORD, "[text|hex]", "show on stderr what passes, with the time"},
    {"relay", 'e', "encoding", OPT_TEXT, "NAME", "the text they show is in this coding: gb18030 ... or auto"},
    {"relay", 0, "log", OPT_TEXT, "FILE", "append it to this file, too; with --tap or without"},
    {"relay", 0, "timestamps", OPT_FLAG, NULL, "show the time since the line before, too"},
    {"relay", 0, "record", OPT_TEXT, "FILE", "keep all that passes in a new file, for duplex replay"},
    {"relay", 'v', "verbose", OPT_FLAG, NULL, "say a line a connection when it is over"},
    {"replay", 0, "server", OPT_FLAG, NULL, "play the server's side: listen on URL"},
    {"replay", 0, "conn", OPT_COUNT, "N", "play connection N (the first)"},
    {"replay", 0, "speed", OPT_TEXT, "FACTOR", "so many times as fast: 2, 0.5"},
    {"replay", 0, "fast", OPT_FLAG, NULL, "without the recorded pauses"},
    {"replay", 0, "idle", OPT_MS, "TIME", "give up when nothing comes for so long (10s)"},
    {"bench", 'c', "conns", OPT_COUNT, "N", "so many conns (50); HTTP: requests at a time (10)"},
    {"bench", 0, "rate", OPT_TEXT, "R", "open loop: R messages a second over all conns; max: the\nclosed loop"},
    {"bench", 0, "size", OPT_COUNT, "BYTES", "of a message (64)"},
    {"bench", 0, "depth", OPT_COUNT, "D", "closed loop: messages in flight a conn (1)"},
    {"bench", 0, "for", OPT_MS, "TIME", "measure for so long (10s)"},
    {"bench", 0, "warm-up", OPT_MS, "TIME", "and before it, uncounted (a tenth, at most 1s; with -n none)"},
    {"bench", 'n', "count", OPT_COUNT, "N", "so many messages in all, and no more"},
    {"bench", 0, "message", OPT_TEXT, "TEXT", "send this and not text of our own; @FILE: what is in it,\nhex:01AF: these bytes"},
    {"bench", 0, "expect", OPT_TEXT, "WHAT", "what must come back: echo, upper (case), any, none (one\nway); HTTP: any body unless it is said"},
    {"bench", 'f', "frame", OPT_TEXT, "SPEC", "a stream of bytes has messages: line, fixed:N ..."},
    {"bench", 0, "wait", OPT_MS, "TIME", "for replies that are still out at the end (5s); a datagram's\nis lost after so long (1s)"},
    {"bench", 0, "loss-max", OPT_TEXT, "SHARE", "so much may be lost, as 0.1% (none)"},
    {"bench", 0, "method", OPT_TEXT, "NAME", "HTTP: GET, or what else (POST where there is a body)"},
    {"bench", 0, "path", OPT_TEXT, "PATH", "HTTP: ask for this, not for the URL's"},
    {"bench", 0, "room", OPT_TEXT, "NAME", "conns are members of this room of duplex serve: the first\nspeaks, the others hear"},
    {"bench", 0, "threads", OPT_COUNT, "N", "so many threads share the conns (1)"},
    {"bench", 0, "json", OPT_FLAG, NULL, "the result as a JSON object"},
    {"bench", 0, "live", OPT_FLAG, NULL, "and a line, or with --json an object, a second; on a\nterminal there is a line anyhow"},
    {"listen", 0, "rules", OPT_TEXT, "FILE", "answer by the rules in it; --frame and --encoding win over\nwhat it says"},
    {"dial listen", 0, "hex", OPT_FLAG, NULL, "lines of hex in, lines of hex pairs out; on pipes too"},
    {"dial listen", 0, "eol", OPT_TEXT, "lf|crlf|none", "what goes behind each line that is sent"},
    {"dial listen", 0, "checksum", OPT_TEXT, "NAME", "behind each message sent, and checked on what comes:\ncrc16-modbus, crc32, xor, lrc ... (duplex hex --list)"},
    {"dial listen", 's', "send", OPT_TEXT, "TEXT", "send this, not stdin; \\r \\n \\t \\xHH are read, and with\n--hex it is hex; may stand several times: in that order"},
    {"dial listen", 0, "every", OPT_MS, "TIME", "send it, or all of stdin, again and again, on time"},
    {"dial listen", 0, "timestamps", OPT_FLAG, NULL, "before each line its time, and the time since the last"},
    {"dial listen", 0, "log", OPT_TEXT, "FILE", "append what passes both ways to this file"},
    {"dial listen fetch", 0, "json", OPT_FLAG, NULL, "stdout is a JSON object an event (docs/events.md)"},
    {"dial", 0, "retry", OPT_MAYBE, "[=N]", "where it is refused or broken dial again, at most N times\nin a row, later and later; stdin waits"},
    {"dial", 0, "wait-for", OPT_TEXT, "TEXT", "end with 0 when this has come, else with 119"},
    {"dial", 0, "within", OPT_MS, "TIME", "how long to wait for that (10s)"},
    {"dial", 0, "bind", OPT_TEXT, "ADDR[:PORT]", "dial from this address of ours"},
    {"dial", 0, "broadcast", OPT_FLAG, NULL, "udp: the address is that of all of a network"},
    {"dial listen", 0, "multicast", OPT_TEXT, "GROUP[%IF]", "udp://:PORT sends to this group, or hears it, on that\ninterface; with listen it may stand several times"},
    {"dial listen", 0, "ttl", OPT_COUNT, "N", "how many hops what we send may go (1-255); with listen\nudp alone"},
    {"listen", 0, "reply", OPT_TEXT, "TEXT", "answer each message with this (escapes as in --send), each\nHTTP request with it as a page"},
    {"listen", 0, "exec", OPT_TEXT, "COMMAND", "a process for each client, its stdin and stdout; without a\nshell; $DUPLEX_PEER says who it is; at most 100, or --max"},
    {"dial listen", 0, "text", OPT_FLAG, NULL, "WebSocket: send lines (or what --frame cuts) as text; what is\nno UTF-8 ends it"},
    {"dial listen", 0, "binary", OPT_FLAG, NULL, "WebSocket: send binary messages, typed lines too"},
    {"dial listen", 0, "close", OPT_TEXT, "CODE[:REASON]", "WebSocket: say this at our end (1000)"},
    {"dial listen", 0, "ping", OPT_MS, "TIME", "WebSocket: ask a peer silent for so long whether it is there\n(20s; 0: never), and wait as long for the answer"},
    {"dial listen", 0, "subprotocol", OPT_TEXT, "NAMES", "WebSocket: offer these; listening, take the first of them\nthat is offered"},
    {"dial listen", 0, "deflate", OPT_FLAG, NULL, "WebSocket: pack messages where the peer does so too"},
    {"dial listen", 0, "deflate-with", OPT_TEXT, "PARAMS", "the same, with parameters of RFC 7692:\n\"client_no_context_takeover; server_max_window_bits=10\""},
    {"dial", 0, "header", OPT_TEXT, "NAME:VALUE", "WebSocket: one more field in the handshake; may stand several\ntimes"},
    {"dial listen", 0, "exit-word", OPT_TEXT, "WORD", "on a terminal this word ends (exit), and so does an empty\nline of dial; '': neither does, Ctrl-D alone"},
    {"dial send recv fetch relay replay bench", 't', "timeout", OPT_MS, "TIME", "give up dialling after so long (10s)"},
    {"dial listen serve send recv fetch relay replay bench", 0, "cert", OPT_TEXT, "FILE", "show this certificate (PEM, its issuers behind it); auto:\nthis machine's own. Who listens needs one, who dials may be\nasked for one; may stand several times"},
    {"dial listen serve send recv fetch relay replay bench", 0, "key", OPT_TEXT, "FILE", "its key, where that is another file"},
    {"listen send recv relay replay", 0, "client-ca", OPT_TEXT, "FILE", "listening: take only clients with a certificate of this CA"},
    {"dial send recv fetch relay replay bench", 0, "pin", OPT_TEXT, "PIN", "dialling: believe this key alone: sha256:..., as its owner\nshows it; may stand several times"},
    {"dial send recv fetch relay replay bench", 0, "ca", OPT_TEXT, "FILE", "dialling: believe this CA in place of those of the system"},
    {"dial send recv fetch relay replay bench", 0, "insecure", OPT_FLAG, NULL, "dialling: believe anybody: for debugging alone"},
    {"help", 0, "man", OPT_FLAG, NULL, "as a man page (roff)"},
    {"help", 0, "completion", OPT_WORD, "[bash|zsh]", "what completes command lines in that shell, as a script"},
    {0},
};

const struct wire wire_table[] = {
    {"tcp://HOST:PORT", WIRE_BOTH, "bytes over TCP"},
    {"tls://HOST:PORT", WIRE_BOTH, "the same over TLS"},
    {"udp://HOST:PORT", WIRE_BOTH, "datagrams"},
    {"unix:///PATH", WIRE_BOTH, "bytes to a program on this machine; unix://@NAME needs no file"},
    {"unixgram:///PATH", WIRE_BOTH, "datagrams to a program on this machine"},
    {"ws://HOST:PORT/PATH", WIRE_BOTH, "messages over WebSocket"},
    {"wss://HOST:PORT/PATH", WIRE_BOTH, "the same over TLS"},
    {"http://HOST:PORT/PATH", WIRE_BOTH, "a request and its response"},
    {"https://HOST:PORT/PATH", WIRE_BOTH, "the same over TLS"},
    {"any://HOST:PORT", WIRE_LISTEN, "all of these on one port: the first bytes decide"},
    {"stdio:", WIRE_DIAL, "standard input and output"},
    {"fd:N", WIRE_DIAL, "an open descriptor"},
    {"file:PATH", WIRE_DIAL, "a file"},
    {"exec:COMMAND", WIRE_DIAL, "a program's standard input and output"},
    {0},
};
/* clang-format on */

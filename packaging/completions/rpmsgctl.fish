# SPDX-License-Identifier: Apache-2.0
# fish completion for rpmsgctl

# The verb that is there, if one is.
function __rpmsgctl_the_verb
    set -l skip 0
    for word in (commandline -opc)[2..-1]
        if test $skip = 1
            set skip 0
        else if contains -- $word --bus --host
            set skip 1
        else if not string match -q -- '-*' $word
            echo $word
            return 0
        end
    end
    return 1
end

function __rpmsgctl_no_verb
    not __rpmsgctl_the_verb >/dev/null
end

function __rpmsgctl_verb
    test (__rpmsgctl_the_verb; or echo) = $argv[1]
end

function __rpmsgctl_after
    test (commandline -opc)[-1] = $argv[1]
end

# Offers what the daemon has: what is wanted, and the vdev that it is of.
function __rpmsgctl_live
    set -l bus
    set -l words (commandline -opc)
    for i in (seq (count $words))
        if contains -- $words[$i] --bus --host; and test $i -lt (count $words)
            set bus $words[$i] $words[(math $i + 1)]
        end
    end
    set -l what $argv
    if string match -q -- '/*' (commandline -ct)
        set what path
    end
    rpmsgctl $bus complete $what 2>/dev/null
end

# What a verb takes: right after it, or after the vdev that follows it.
function __rpmsgctl_named
    set -l words (commandline -opc)
    if test $words[-1] = (__rpmsgctl_the_verb)
        __rpmsgctl_live $argv[1]
    else if test $argv[1] != remote; and string match -qr -- '/vdev[0-9]+$' $words[-1]
        __rpmsgctl_live $argv[1] $words[-1]
    end
end

complete -c rpmsgctl -f

complete -c rpmsgctl -l bus -x -a 'system session' -d 'system'
complete -c rpmsgctl -l host -x -a '(__fish_print_hostnames)' -d 'the system bus of [USER@]HOST[:PORT], over ssh'
complete -c rpmsgctl -l json -d 'print JSON, also of errors'
complete -c rpmsgctl -l help -d 'print this, or the help of a verb, and exit'

complete -c rpmsgctl -n __rpmsgctl_no_verb -a list -d 'show remotes, vdevs, channels and endpoints'
complete -c rpmsgctl -n __rpmsgctl_no_verb -a status -d 'show everything about the daemon or one object'
complete -c rpmsgctl -n __rpmsgctl_no_verb -a monitor -d 'show what happens, until interrupted'
complete -c rpmsgctl -n __rpmsgctl_no_verb -a top -d 'show live rates, queues, credits and drops, until interrupted'
complete -c rpmsgctl -n __rpmsgctl_no_verb -a wait -d 'wait for a channel, or for a state of an object'
complete -c rpmsgctl -n __rpmsgctl_no_verb -a send -d 'send a message'
complete -c rpmsgctl -n __rpmsgctl_no_verb -a receive -d 'take messages that came out of their queue'
complete -c rpmsgctl -n __rpmsgctl_no_verb -a listen -d 'print every message of an endpoint, until interrupted'
complete -c rpmsgctl -n __rpmsgctl_no_verb -a call -d 'send a message and print the answer'
complete -c rpmsgctl -n __rpmsgctl_no_verb -a open -d 'make an endpoint on a channel, and keep it'
complete -c rpmsgctl -n __rpmsgctl_no_verb -a stream -d 'connect standard input and output to an endpoint'
complete -c rpmsgctl -n __rpmsgctl_no_verb -a ping -d 'measure round trips on a channel that echoes (default: echo)'
complete -c rpmsgctl -n __rpmsgctl_no_verb -a pingpong -d 'hold the dialogue of rpmsg-openamp-demo-channel'
complete -c rpmsgctl -n __rpmsgctl_no_verb -a client-sample -d 'hold the dialogue of rpmsg-client-sample'
complete -c rpmsgctl -n __rpmsgctl_no_verb -a trace -d 'show what a remote has written into its trace buffer'
complete -c rpmsgctl -n __rpmsgctl_no_verb -a capture -d "write everybody's messages into a file that Wireshark reads"
complete -c rpmsgctl -n __rpmsgctl_no_verb -a nxp -d 'ask a remote’s life-cycle, GPIO, RTC or another service of NXP'
complete -c rpmsgctl -n __rpmsgctl_no_verb -a reinitialize -d 'begin a new life of a remote with fresh rings'
complete -c rpmsgctl -n __rpmsgctl_no_verb -a doctor -d 'examine this machine: what is wrong, and what to do'
complete -c rpmsgctl -n __rpmsgctl_no_verb -a sim -d 'reset, kill or disturb the cores of a simulated SoC'
complete -c rpmsgctl -n __rpmsgctl_no_verb -a version -d 'show the versions of rpmsgctl and of the daemon'

complete -c rpmsgctl -n '__rpmsgctl_verb status' -l remote -x -a '(__rpmsgctl_live remote)' -d 'what is named is of this remote'
complete -c rpmsgctl -n '__rpmsgctl_verb status' -l vdev -x -d 'what is named is of the vdev with this index'
complete -c rpmsgctl -n '__rpmsgctl_verb status' -a '(__rpmsgctl_named object)'

complete -c rpmsgctl -n '__rpmsgctl_verb monitor' -l remote -x -a '(__rpmsgctl_live remote)' -d 'what is named is of this remote'
complete -c rpmsgctl -n '__rpmsgctl_verb monitor' -l vdev -x -d 'what is named is of the vdev with this index'
complete -c rpmsgctl -n '__rpmsgctl_verb monitor' -l messages -d 'also what shared endpoints receive, which Receive then does not'
complete -c rpmsgctl -n '__rpmsgctl_verb monitor' -a '(__rpmsgctl_named object)'

complete -c rpmsgctl -n '__rpmsgctl_verb top' -l remote -x -a '(__rpmsgctl_live remote)' -d 'what is named is of this remote'
complete -c rpmsgctl -n '__rpmsgctl_verb top' -l vdev -x -d 'what is named is of the vdev with this index'
complete -c rpmsgctl -n '__rpmsgctl_verb top' -l interval -x -d 'between two tables (default 1s)'
complete -c rpmsgctl -n '__rpmsgctl_verb top' -l count -x -d 'end after so many tables'
complete -c rpmsgctl -n '__rpmsgctl_verb top' -l endpoints -d 'each endpoint below its vdev, too'
complete -c rpmsgctl -n '__rpmsgctl_verb top' -a '(__rpmsgctl_named object)'

complete -c rpmsgctl -n '__rpmsgctl_verb wait' -l remote -x -a '(__rpmsgctl_live remote)' -d 'what is named is of this remote'
complete -c rpmsgctl -n '__rpmsgctl_verb wait' -l vdev -x -d 'what is named is of the vdev with this index'
complete -c rpmsgctl -n '__rpmsgctl_verb wait' -l state -x -a 'ready attached waiting quiescing offline up offered down faulted announced withdrawn connected disconnected streaming there gone' -d 'wait for this (default ready)'
complete -c rpmsgctl -n '__rpmsgctl_verb wait' -l timeout -x -d 'no longer than this (default: for ever)'
complete -c rpmsgctl -n '__rpmsgctl_verb wait' -a '(__rpmsgctl_named object)'

complete -c rpmsgctl -n '__rpmsgctl_verb send' -l remote -x -a '(__rpmsgctl_live remote)' -d 'what is named is of this remote'
complete -c rpmsgctl -n '__rpmsgctl_verb send' -l vdev -x -d 'what is named is of the vdev with this index'
complete -c rpmsgctl -n '__rpmsgctl_verb send' -l hex -d 'PAYLOAD is hexadecimal, and what is received is printed so'
complete -c rpmsgctl -n '__rpmsgctl_verb send' -l file -r -F -d 'the payload is what FILE has; - is standard input'
complete -c rpmsgctl -n '__rpmsgctl_verb send' -l to -x -d 'to this address of the remote'
complete -c rpmsgctl -n '__rpmsgctl_verb send' -l try -d 'fail at once where no buffer is free'
complete -c rpmsgctl -n '__rpmsgctl_verb send' -a '(__rpmsgctl_named endpoint)'

complete -c rpmsgctl -n '__rpmsgctl_verb receive' -l remote -x -a '(__rpmsgctl_live remote)' -d 'what is named is of this remote'
complete -c rpmsgctl -n '__rpmsgctl_verb receive' -l vdev -x -d 'what is named is of the vdev with this index'
complete -c rpmsgctl -n '__rpmsgctl_verb receive' -l count -x -d 'so many messages (default 1)'
complete -c rpmsgctl -n '__rpmsgctl_verb receive' -l timeout -x -d 'wait no longer than this, 0 not at all (default: until they come)'
complete -c rpmsgctl -n '__rpmsgctl_verb receive' -l hex -d 'print in hexadecimal, a line each'
complete -c rpmsgctl -n '__rpmsgctl_verb receive' -l lines -d 'each received message ends with a newline'
complete -c rpmsgctl -n '__rpmsgctl_verb receive' -a '(__rpmsgctl_named endpoint)'

complete -c rpmsgctl -n '__rpmsgctl_verb listen' -l remote -x -a '(__rpmsgctl_live remote)' -d 'what is named is of this remote'
complete -c rpmsgctl -n '__rpmsgctl_verb listen' -l vdev -x -d 'what is named is of the vdev with this index'
complete -c rpmsgctl -n '__rpmsgctl_verb listen' -l count -x -d 'end after so many messages'
complete -c rpmsgctl -n '__rpmsgctl_verb listen' -l hex -d 'print in hexadecimal, a line each'
complete -c rpmsgctl -n '__rpmsgctl_verb listen' -l lines -d 'each received message ends with a newline'
complete -c rpmsgctl -n '__rpmsgctl_verb listen' -a '(__rpmsgctl_named endpoint)'

complete -c rpmsgctl -n '__rpmsgctl_verb call' -l remote -x -a '(__rpmsgctl_live remote)' -d 'what is named is of this remote'
complete -c rpmsgctl -n '__rpmsgctl_verb call' -l vdev -x -d 'what is named is of the vdev with this index'
complete -c rpmsgctl -n '__rpmsgctl_verb call' -l hex -d 'PAYLOAD is hexadecimal, and what is received is printed so'
complete -c rpmsgctl -n '__rpmsgctl_verb call' -l file -r -F -d 'the payload is what FILE has; - is standard input'
complete -c rpmsgctl -n '__rpmsgctl_verb call' -l lines -d 'each received message ends with a newline'
complete -c rpmsgctl -n '__rpmsgctl_verb call' -l timeout -x -d 'how long the answer is waited for (default 5s)'
complete -c rpmsgctl -n '__rpmsgctl_verb call' -a '(__rpmsgctl_named endpoint)'

complete -c rpmsgctl -n '__rpmsgctl_verb open' -l remote -x -a '(__rpmsgctl_live remote)' -d 'what is named is of this remote'
complete -c rpmsgctl -n '__rpmsgctl_verb open' -l vdev -x -d 'what is named is of the vdev with this index'
complete -c rpmsgctl -n '__rpmsgctl_verb open' -l persistent -d 'make one that stays and belongs to nobody, and exit; for root and members of group rpmsg-admin'
complete -c rpmsgctl -n '__rpmsgctl_verb open' -l rx-queue -x -d 'messages it keeps until they are received'
complete -c rpmsgctl -n '__rpmsgctl_verb open' -a '(__rpmsgctl_named channel)'

complete -c rpmsgctl -n '__rpmsgctl_verb stream' -l remote -x -a '(__rpmsgctl_live remote)' -d 'what is named is of this remote'
complete -c rpmsgctl -n '__rpmsgctl_verb stream' -l vdev -x -d 'what is named is of the vdev with this index'
complete -c rpmsgctl -n '__rpmsgctl_verb stream' -l mode -x -a 'read write both' -d 'read, write or both (default)'
complete -c rpmsgctl -n '__rpmsgctl_verb stream' -l hold -x -d 'received messages that it may keep back'
complete -c rpmsgctl -n '__rpmsgctl_verb stream' -l framing -x -a 'payload header' -d 'payload'
complete -c rpmsgctl -n '__rpmsgctl_verb stream' -l on-reset -x -a 'drop keep' -d 'drop'
complete -c rpmsgctl -n '__rpmsgctl_verb stream' -l zero-length -d 'messages without bytes, too'
complete -c rpmsgctl -n '__rpmsgctl_verb stream' -l lines -d 'a message a line (default on a terminal)'
complete -c rpmsgctl -n '__rpmsgctl_verb stream' -l hex -d 'a message a line, in hexadecimal'
complete -c rpmsgctl -n '__rpmsgctl_verb stream' -l packet-bytes -x -d 'cut the input every SIZE bytes'
complete -c rpmsgctl -n '__rpmsgctl_verb stream' -l wait-ms -x -d 'after the end of the input, print what comes until nothing came for so long (default 1000)'
complete -c rpmsgctl -n '__rpmsgctl_verb stream' -a '(__rpmsgctl_named endpoint)'

complete -c rpmsgctl -n '__rpmsgctl_verb ping' -l remote -x -a '(__rpmsgctl_live remote)' -d 'what is named is of this remote'
complete -c rpmsgctl -n '__rpmsgctl_verb ping' -l vdev -x -d 'what is named is of the vdev with this index'
complete -c rpmsgctl -n '__rpmsgctl_verb ping' -l count -x -d 'end after so many messages'
complete -c rpmsgctl -n '__rpmsgctl_verb ping' -l interval -x -d 'between two of them'
complete -c rpmsgctl -n '__rpmsgctl_verb ping' -l size -x -d 'of each message (default 56)'
complete -c rpmsgctl -n '__rpmsgctl_verb ping' -l timeout -x -d 'after which an answer is lost (default 2s)'
complete -c rpmsgctl -n '__rpmsgctl_verb ping' -l quiet -d 'print the statistics alone'
complete -c rpmsgctl -n '__rpmsgctl_verb ping' -a '(__rpmsgctl_named channel)'

complete -c rpmsgctl -n '__rpmsgctl_verb pingpong' -l remote -x -a '(__rpmsgctl_live remote)' -d 'what is named is of this remote'
complete -c rpmsgctl -n '__rpmsgctl_verb pingpong' -l vdev -x -d 'what is named is of the vdev with this index'
complete -c rpmsgctl -n '__rpmsgctl_verb pingpong' -l timeout -x -d 'how long each answer is waited for (default 5s)'
complete -c rpmsgctl -n '__rpmsgctl_verb pingpong' -l verbose -d 'print each message'
complete -c rpmsgctl -n '__rpmsgctl_verb pingpong' -a '(__rpmsgctl_named channel)'

complete -c rpmsgctl -n '__rpmsgctl_verb client-sample' -l remote -x -a '(__rpmsgctl_live remote)' -d 'what is named is of this remote'
complete -c rpmsgctl -n '__rpmsgctl_verb client-sample' -l vdev -x -d 'what is named is of the vdev with this index'
complete -c rpmsgctl -n '__rpmsgctl_verb client-sample' -l timeout -x -d 'how long each answer is waited for (default 5s)'
complete -c rpmsgctl -n '__rpmsgctl_verb client-sample' -l verbose -d 'print each message'
complete -c rpmsgctl -n '__rpmsgctl_verb client-sample' -l count -x -d 'so many messages (default 100)'
complete -c rpmsgctl -n '__rpmsgctl_verb client-sample' -a '(__rpmsgctl_named channel)'

complete -c rpmsgctl -n '__rpmsgctl_verb trace' -l follow -d 'go on as the remote writes, until interrupted'
complete -c rpmsgctl -n '__rpmsgctl_verb trace' -a '(__rpmsgctl_named remote)'

complete -c rpmsgctl -n '__rpmsgctl_verb capture' -l remote -x -a '(__rpmsgctl_live remote)' -d 'of one remote; default: all'
complete -c rpmsgctl -n '__rpmsgctl_verb capture' -l vdev -x -d 'of the vdevs with this index; default: all'
complete -c rpmsgctl -n '__rpmsgctl_verb capture' -l snaplen -x -d 'keep so much of each message, its 16-byte header included: 16 to 3584 (default)'
complete -c rpmsgctl -n '__rpmsgctl_verb capture' -l count -x -d 'end after so many messages'
complete -c rpmsgctl -n '__rpmsgctl_verb capture' -l duration -x -d 'end after so long'
complete -c rpmsgctl -n '__rpmsgctl_after capture' -F

complete -c rpmsgctl -n '__rpmsgctl_verb nxp' -l remote -x -a '(__rpmsgctl_live remote)' -d 'where several remotes have the service'
complete -c rpmsgctl -n '__rpmsgctl_verb nxp' -l vdev -x -d 'where several vdevs have it; else it is the first'
complete -c rpmsgctl -n '__rpmsgctl_verb nxp' -l timeout -x -d 'how long the answer may take, as 500ms or 2s (default 1s, for i2c 500ms)'
complete -c rpmsgctl -n '__rpmsgctl_after nxp' -a lifecycle
complete -c rpmsgctl -n '__rpmsgctl_after nxp' -a pmic
complete -c rpmsgctl -n '__rpmsgctl_after nxp' -a audio
complete -c rpmsgctl -n '__rpmsgctl_after nxp' -a key
complete -c rpmsgctl -n '__rpmsgctl_after nxp' -a gpio
complete -c rpmsgctl -n '__rpmsgctl_after nxp' -a rtc
complete -c rpmsgctl -n '__rpmsgctl_after nxp' -a sensor
complete -c rpmsgctl -n '__rpmsgctl_after nxp' -a i2c

complete -c rpmsgctl -n '__rpmsgctl_verb reinitialize' -l remote -x -a '(__rpmsgctl_live remote)' -d 'what is named is of this remote'
complete -c rpmsgctl -n '__rpmsgctl_verb reinitialize' -a '(__rpmsgctl_named remote)'

complete -c rpmsgctl -n '__rpmsgctl_verb doctor' -l root -x -a '(__fish_complete_directories)' -d 'examine the machine whose files are below DIR'
complete -c rpmsgctl -n '__rpmsgctl_verb doctor' -l mu -d "read the MU's registers even if its node has neither clock nor power: that may stop the machine"

complete -c rpmsgctl -n '__rpmsgctl_verb sim' -l socket -r -F -d 'of the simulated SoC: its attach socket or its control socket'
complete -c rpmsgctl -n '__rpmsgctl_after sim' -a status -d 'show the board, its cores and who is attached'
complete -c rpmsgctl -n '__rpmsgctl_after sim' -a reset -d 'reset its partition; the firmware runs on while REBOOT is out'
complete -c rpmsgctl -n '__rpmsgctl_after sim' -a kill -d 'kill its firmware: a crash'
complete -c rpmsgctl -n '__rpmsgctl_after sim' -a lockup -d 'stop its firmware, and reset the partition after 100 ms or so long'
complete -c rpmsgctl -n '__rpmsgctl_after sim' -a silent-restart -d 'start its firmware anew and tell nobody'
complete -c rpmsgctl -n '__rpmsgctl_after sim' -a notify -d 'raise that SCFW interrupt for no reason'
complete -c rpmsgctl -n '__rpmsgctl_after sim' -a hold -d 'keep the core off after its next death'
complete -c rpmsgctl -n '__rpmsgctl_after sim' -a release -d 'let a core that is held start again'
complete -c rpmsgctl -n '__rpmsgctl_after sim' -a start-delay -d 'wait so long before each next start'
complete -c rpmsgctl -n '__rpmsgctl_after sim' -a scu-delay -d 'hold each answer of SCFW back so long'
complete -c rpmsgctl -n '__rpmsgctl_after sim' -a scu-drop -d 'leave the next calls to SCFW unanswered'

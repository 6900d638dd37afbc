#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A private Slurm on this machine, for trying the job scripts: one controller and one node, its own munge, nothing outside FOLDER.
# Needs root. Usage: slurm.sh start FOLDER | slurm.sh stop FOLDER; then SLURM_CONF=FOLDER/slurm.conf sbatch ...
set -euo pipefail

command=${1:?start or stop}
folder=$(realpath -m "${2:?folder}")
port=$((20000 + $$ % 20000))

start_munge() {
    # munged wants folders that nobody else may write to.
    install -d -m 0755 "$folder" "$folder/munge"
    (umask 077 && dd if=/dev/urandom of="$folder/munge/key" bs=128 count=1 status=none)
    /usr/sbin/munged --force --key-file="$folder/munge/key" --socket="$folder/munge/socket" \
        --pid-file="$folder/munge/pid" --log-file="$folder/munge/log" --seed-file="$folder/munge/seed"
}

write_configuration() {
    local node
    node=$(hostname -s)
    mkdir -p "$folder/state" "$folder/spool"
    cat >"$folder/slurm.conf" <<CONF
ClusterName=quantoscope
SlurmctldHost=$node(127.0.0.1)
SlurmctldPort=$port
SlurmdPort=$((port + 1))
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$folder/munge/socket
CredType=cred/munge
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
ReturnToService=2
SchedulerParameters=sched_min_interval=100000,batch_sched_delay=1
MailProg=/bin/true
NodeName=$node NodeAddr=127.0.0.1 CPUs=$(nproc) State=UNKNOWN
PartitionName=all Nodes=$node Default=YES MaxTime=INFINITE State=UP OverSubscribe=NO
CONF
}

start() {
    start_munge
    write_configuration
    export SLURM_CONF=$folder/slurm.conf
    slurmctld -c -f "$SLURM_CONF"
    slurmd -f "$SLURM_CONF"
    for _ in $(seq 60); do
        sinfo --noheader --format=%T 2>/dev/null | grep -q idle && return
        sleep 1
    done
    echo "error: the node did not come up: $folder: see slurmctld.log and slurmd.log there" >&2
    return 1
}

# Ends what start() began, by the process ids it left.
stop() {
    local file pid
    for file in slurmd.pid slurmctld.pid munge/pid; do
        pid=$(cat "$folder/$file" 2>/dev/null) || continue
        kill "$pid" 2>/dev/null || continue
        for _ in $(seq 50); do
            kill -0 "$pid" 2>/dev/null || break
            sleep 0.1
        done
        kill -9 "$pid" 2>/dev/null || true
    done
}

case $command in
    start) start ;;
    stop) stop ;;
    *) echo "error: '$command' is neither start nor stop" >&2 && exit 2 ;;
esac

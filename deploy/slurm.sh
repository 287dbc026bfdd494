#!/usr/bin/env bash
# A search on Slurm: one task per node becomes a Ray cluster that lives as long as the job.
#
#   sbatch --nodes 4 --gpus-per-node 4 deploy/slurm.sh experiments/rea.py --num-samples 1000 --out /shared/runs/rea-0
#
# The environment with this package must be active on all nodes (set NAS_RAY_ENV to a file to source). The
# folder of the run lies on a file system that the first node can write. After a time limit: the same line with
# --resume FOLDER.
#SBATCH --job-name=nas-ray
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=16
#SBATCH --time=12:00:00
set -euo pipefail

[ $# -ge 1 ] || { echo "usage: sbatch deploy/slurm.sh EXPERIMENT.py [arguments]" >&2; exit 2; }
# shellcheck disable=SC1090  # the user's own file
[ -z "${NAS_RAY_ENV:-}" ] || source "$NAS_RAY_ENV"

mapfile -t nodes < <(scontrol show hostnames "$SLURM_JOB_NODELIST")
head=${nodes[0]}
head_ip=$(srun --nodes=1 --ntasks=1 --nodelist="$head" hostname --ip-address | awk '{ print $1 }')
port=$((20000 + SLURM_JOB_ID % 20000))
address="$head_ip:$port"

# One secret for all nodes of this job; without it nobody else on the network can use the cluster.
RAY_AUTH_MODE=token
RAY_AUTH_TOKEN=$(od -An -N32 -tx1 /dev/urandom | tr -d ' \n')
export RAY_AUTH_MODE RAY_AUTH_TOKEN

start() {  # start NODE arguments of ray start
    local node=$1
    shift
    srun --nodes=1 --ntasks=1 --nodelist="$node" \
        ray start "$@" --num-cpus="$SLURM_CPUS_PER_TASK" --disable-usage-stats --block &
}

start "$head" --head --node-ip-address="$head_ip" --port="$port" --include-dashboard=false
for _ in $(seq 60); do
    ray health-check --address "$address" >/dev/null 2>&1 && break
    sleep 2
done
for node in "${nodes[@]:1}"; do
    start "$node" --address="$address"
done

python "$@" --address "$address"

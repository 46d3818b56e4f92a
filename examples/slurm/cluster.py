"""A Dask cluster of Slurm jobs, for as long as a command runs; SCHEDULER in the command becomes its address.

    python examples/slurm/cluster.py --jobs 8 --cpus 4 --memory 16GB --directive=--gres=gpu:1 -- \\
        hmst preprocess units --manifest data/train.tsv --kmeans data/kmeans --device cuda \\
        --backend dask --scheduler SCHEDULER --out data/train.units

Run it where sbatch works, on a file system that all nodes share, in an environment with `pip install dask-jobqueue`.
A job that ends, at its time limit for instance, is replaced by another until the command ends.
"""

import argparse
import subprocess
import sys

from dask_jobqueue import SLURMCluster


def parse_arguments() -> argparse.Namespace:
    """Options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, required=True, help="number of jobs, each of one worker")
    parser.add_argument("--cpus", type=int, default=1, help="of each job; default %(default)s")
    parser.add_argument("--memory", default="8GB", help="of each job; default %(default)s")
    parser.add_argument("--walltime", default="12:00:00", help="time limit of each job; default %(default)s")
    parser.add_argument("--queue", help="Slurm's partition")
    parser.add_argument("--account", help="Slurm's account")
    parser.add_argument(
        "--directive", action="append", default=[], metavar="=--OPTION", help="more options of sbatch, such as a GPU's"
    )
    parser.add_argument("--log-dir", default="slurm-logs", help="for the jobs' output; default %(default)s")
    parser.add_argument("command", nargs="+", metavar="-- COMMAND", help="with --backend dask --scheduler SCHEDULER")
    return parser.parse_args()


def main() -> int:
    """Run the command and return its exit status."""
    arguments = parse_arguments()
    cluster = SLURMCluster(
        queue=arguments.queue,
        account=arguments.account,
        walltime=arguments.walltime,
        memory=arguments.memory,
        job_cpu=arguments.cpus,
        cores=1,  # calls at once in a worker; the encoder itself uses all CPUs of the job
        processes=1,
        nanny=False,  # it would restart a worker within the job, and let it use one CPU alone
        job_extra_directives=arguments.directive,
        log_directory=arguments.log_dir,
    )
    with cluster:
        print(cluster.job_script(), file=sys.stderr)
        cluster.adapt(minimum_jobs=arguments.jobs, maximum_jobs=arguments.jobs)
        command = [word.replace("SCHEDULER", cluster.scheduler_address) for word in arguments.command]
        return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())

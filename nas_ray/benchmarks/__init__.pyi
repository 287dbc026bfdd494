from .base import Benchmark as Benchmark
from .base import Evaluation as Evaluation
from .nats import NatsBenchmark as NatsBenchmark
from .nb201 import NB201Benchmark as NB201Benchmark
from .opening import BENCHMARKS as BENCHMARKS
from .opening import explain_auto as explain_auto
from .opening import open_benchmark as open_benchmark
from .table import TableBenchmark as TableBenchmark

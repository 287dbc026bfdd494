from . import searchers as searchers
from . import spaces as spaces
from . import testing as testing
from .benchmarks import Benchmark as Benchmark
from .benchmarks import open_benchmark as open_benchmark
from .drivers.simulation import simulate as simulate
from .drivers.tune_search import tune_search as tune_search
from .drivers.tune_searcher import TuneSearcher as TuneSearcher
from .errors import UsageError as UsageError
from .evaluation.base import Evaluator as Evaluator
from .evaluation.lookup import Lookup as Lookup
from .evaluation.proxy_scores import ProxyScores as ProxyScores
from .images.image_data import ImageDataModule as ImageDataModule
from .images.sources import open_images as open_images
from .proxies.plugin import resolve_proxies as resolve_proxies
from .rows import Row as Row
from .searchers import ArchSearcher as ArchSearcher
from .searchers import Fitness as Fitness
from .searchers import parse_fitness as parse_fitness
from .spaces import SearchSpace as SearchSpace
from .spaces.named import open_space as open_space
from .training.trained import load as load

__version__: str
